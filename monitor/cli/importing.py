"""`monitor import`: takes usage in that was recorded elsewhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import Progress

from collectors.formats import AUTO, format_of, names
from collectors.imports import Content, Told, append, check, rows_stored
from collectors.material import Format, Given, Material
from monitor.cli.asking import ask_for
from monitor.cli.context import load_settings, print_table
from monitor.cli.spans import moment_of
from monitor.clock import system_clock
from monitor.errors import CollectorError, LeaseError
from monitor.health import Health
from monitor.home import Home
from monitor.ledger.lease import Lease
from monitor.settings import Settings
from monitor.spool.writer import SpoolWriter

app = typer.Typer(no_args_is_help=True, help="Take in usage that was recorded elsewhere.")

_NOTHING: Final = "–"
_SHOWN_REFUSALS: Final = 10
_SAME: Final = ("provider_name", "request_model", "service", "environment", "team")


@app.callback()
def _imports() -> None:
    """Without a callback a single command would take the place of its group."""


@app.command()
def trace(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A trace: a row for each request.")],
    *,
    kind: Annotated[str, typer.Option("--format", help=f"What it is: {', '.join(names())}.")] = AUTO,
    start: Annotated[
        str | None, typer.Option(help="When its second 0 was, such as 2026-11-01 or 2026-11-01T09:00+01:00.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="GPT-4=gpt-4-0613 renames a model, NAME is that of rows that name none. Repeatable."),
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Whose prices hold, such as openai.")] = None,
    service: Annotated[str | None, typer.Option(help="Service of its requests; the name of the format.")] = None,
    environment: Annotated[str | None, typer.Option(help="Environment of its requests.")] = None,
    team: Annotated[str | None, typer.Option(help="Team of its requests.")] = None,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Import the other rows where some cannot be read.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the file and say what it holds.")] = False,
) -> None:
    """Import a trace of usage: all of it is checked first; a second import of the same file adds nothing."""
    settings = load_settings()
    found = format_of(file, kind)
    fallback, models = _models(model or [])
    given = Given(
        start=moment_of(start, now=system_clock(), time_zone=settings.time_zone) if start else None,
        model=fallback,
        models=models,
        provider_name=provider,
        service=service or found.name,
        environment=environment,
        team=team,
    )
    material = Material.open(file, given)
    with _progress("checking", None) as told:
        content = check(material, found, told)
    _refuse(material, content, may_skip=skip_bad_rows)
    if dry_run:
        _print(content, f"{file.name} ({found.title}) holds {_requests(content.records)}; nothing was imported.")
    else:
        _import(settings, material, found, content)


def _models(texts: Sequence[str]) -> tuple[str | None, dict[str, str]]:
    pairs = [text.partition("=") for text in texts]
    fallbacks = [name for name, mark, _ in pairs if not mark]
    if len(fallbacks) > 1 or any(not name or (mark and not other) for name, mark, other in pairs):
        raise CollectorError(
            f"--model {' --model '.join(texts)} cannot be used: give NAME at most once, and THEIRS=OURS for each model."
        )
    return next(iter(fallbacks), None), {name: other for name, mark, other in pairs if mark}


def _refuse(material: Material, content: Content, *, may_skip: bool) -> None:
    """Raises what is wrong with the file; where bad rows may be skipped, prints them."""
    unused = [name for name, ours in material.given.models.items() if ours not in content.sums]
    if unused:
        there = ", ".join(str(name) for name in content.sums)
        raise CollectorError(f"No row of {material.path} names the model {unused[0]!r}; there are: {there}.")
    refusals = content.refusals
    if not refusals:
        return
    lines = [f"{material.path}, row {refusal.row}: {refusal.reason}." for refusal in refusals[:_SHOWN_REFUSALS]]
    if len(refusals) > _SHOWN_REFUSALS:
        lines.append(f"… and {len(refusals) - _SHOWN_REFUSALS:,} more rows.")
    if may_skip:
        typer.echo("\n".join([f"{len(refusals):,} of {content.rows:,} rows are left out:", *lines]), err=True)
        return
    told = f"{len(refusals):,} of {content.rows:,} rows cannot be read; nothing was imported."
    raise CollectorError("\n".join([told, *lines, "Mend them, or import the others with --skip-bad-rows."]))


def _import(settings: Settings, material: Material, kind: Format, content: Content) -> None:
    home = Home(settings.home)
    home.create()
    with _alone(home):
        after = rows_stored(material, content, lambda record_id: _is_stored(settings, record_id, content))
        if after >= content.rows:
            typer.echo(f"{material.path.name} was imported before: all of its {_requests(content.records)} are there.")
            return
        _refuse_forgotten(settings, content)
        writer = SpoolWriter(
            home.spool,
            segment_size=settings.segment_size,
            health=Health(),
            durability=settings.durability,
            limit=settings.spool_limit,
            prepare=home.create,
        )
        try:
            with _progress("importing", content.rows) as told:
                appended = append(material, kind, writer, told, after=after)
        finally:
            writer.close()
    before = f" Another import had come as far as row {after:,}." if after else ""
    _print(content, f"Imported {_requests(appended)} of {material.path.name} ({kind.title}).{before}")


def _is_stored(settings: Settings, record_id: str, content: Content) -> bool:
    found = ask_for(settings, record_id)
    first = content.first
    if found and first is not None and found[0]["record_id"] == first.record_id:
        _refuse_other(found[0], {name: getattr(first, name) for name in _SAME}, first.started_at.isoformat())
    return bool(found)


def _refuse_other(stored: dict[str, Any], given: dict[str, Any], started_at: str) -> None:
    """An import that goes on must say of the other rows what was said of the first ones."""
    then = {name: stored[name] for name in given} | {"first request": stored["started_at"]}
    now = given | {"first request": started_at}
    other = [f"{name} was {then[name]}, now it is {now[name]}" for name in then if then[name] != now[name]]
    if other:
        raise CollectorError(f"A part of this file was imported otherwise: {'; '.join(other)}. Give the same options.")


def _refuse_forgotten(settings: Settings, content: Content) -> None:
    """Of requests that are soon let go of only sums stay: a later import of them would count twice."""
    if settings.keep_requests is None or content.earliest is None:
        return
    if content.earliest < system_clock() - timedelta(days=settings.keep_requests):
        raise CollectorError(
            f"Its first request was at {content.earliest:%Y-%m-%d %H:%M} UTC, and requests are kept for "
            f"{settings.keep_requests:g} days. Once they are gone, nobody can tell that the file was imported. "
            "Give a later --start, or set MONITOR_KEEP_REQUESTS=forever."
        )


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Two imports of one file at once would both find nothing in the ledger."""
    try:
        lease = Lease(home.importing)
    except LeaseError:
        raise CollectorError(f"Another import into {home.path} is running; try again when it is done.") from None
    with lease:
        yield


@contextmanager
def _progress(what: str, total: int | None) -> Iterator[Told]:
    """A bar where somebody looks on."""
    screen = Console(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda rows: progress.update(task, completed=rows)


def _print(content: Content, sentence: str) -> None:
    rows = [
        (
            _NOTHING if name is None else name,
            *(_shown(count) for count in (sums.requests, sums.failed, sums.input_tokens)),
            *(_shown(count) for count in (sums.cache_read_input_tokens, sums.output_tokens)),
        )
        for name, sums in content.sums.items()
    ]
    typer.echo(sentence)
    print_table(("Model", "Requests", "Failed", "Tokens in", "of them cached", "Tokens out"), rows)


def _shown(count: int | None) -> str:
    return _NOTHING if count is None else f"{count:,}"


def _requests(number: int) -> str:
    return "1 request" if number == 1 else f"{number:,} requests"
