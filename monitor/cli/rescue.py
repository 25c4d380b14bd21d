"""`monitor ledger backup`, `restore` and `recover`: for the day on which something is damaged or gone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from monitor.cli.asking import ask_task
from monitor.cli.context import load_settings
from monitor.clock import system_clock
from monitor.home import Home
from monitor.house import House
from monitor.jobs.backup import ledger_of, read_backup, restore
from monitor.ledger.examine import Standing, examine
from monitor.ledger.lease import Lease
from monitor.ledger.lost import Lost, lost_parts
from monitor.ledger.recovery import Recovery, recover
from monitor.settings import Settings

_MOST_PARTS: Final = 20


def back_up(
    target: Annotated[Path, typer.Argument(help="A directory that does not exist yet; it is made.")],
) -> None:
    """Copy ledger and control store to a new directory; programs and server may go on meanwhile."""
    made = ask_task(load_settings(), "backup", {"target": str(target.absolute())})
    typer.echo(
        f"Backed up {made['requests']:,} requests ({made['ledger_bytes']:,} bytes) and the control store "
        f"({made['control_bytes']:,} bytes) to {target.absolute()}. Both copies were read from end to end."
    )
    typer.echo("It holds who called what, and the secrets of receivers: keep it where only you can read it.")


def restore_backup(
    source: Annotated[Path, typer.Argument(help="A directory that monitor ledger backup has made.")],
) -> None:
    """Put a backup in the place of ledger and control store, and read the spool again; the server must be stopped."""
    settings = load_settings()
    home = Home(settings.home)
    home.create()
    with Lease(home.lease):
        done = restore(home, source.absolute(), system_clock)
    typer.echo(f"Restored the backup of {done.backup.made_at:%Y-%m-%d %H:%M:%S} UTC, with {_held(done.now)}.")
    _tell_aside(done.aside)
    _tell_rest(settings, done.before, done.now)


def recover_ledger(
    backup: Annotated[
        Path | None, typer.Option("--from", help="A backup to go on from, if the ledger's file itself is damaged.")
    ] = None,
) -> None:
    """Make a damaged ledger usable: set aside what is damaged, and read the spool again. Nothing is deleted."""
    settings = load_settings()
    home = Home(settings.home)
    home.create()
    with Lease(home.lease):
        if backup is not None:
            read_backup(backup)
        copy = ledger_of(backup.absolute()) if backup is not None else None
        done = recover(home.ledger, system_clock, backup=copy)
    if done.base == "whole":
        typer.echo(
            f"The ledger {home.ledger} opens, and all of it can be read: {_held(done.now)}. Nothing was changed."
        )
        return
    typer.echo(f"The ledger {home.ledger} is damaged: {done.before.fault}")
    _tell_aside(done.aside)
    typer.echo(_going_on(done))
    _tell_rest(settings, None if done.base == "checkpoint" else done.before, done.now)


def _going_on(done: Recovery) -> str:
    if done.base == "checkpoint":
        return (
            f"Its file is whole: it goes on from its last checkpoint, with {_held(done.now)}. What only the "
            "write-ahead log had is still on the spool, which is kept until a checkpoint."
        )
    if done.base == "backup":
        return f"Its file is damaged too. It goes on from the backup, with {_held(done.now)}."
    found = "nothing of it could be read" if done.before.requests is None else f"it had {_held(done.before)}"
    return f"Its file is damaged too; {found}. No backup was named: a new ledger is made of what the spool has."


def _tell_aside(aside: tuple[Path, ...]) -> None:
    for path in aside:
        typer.echo(f"Set aside: {path}")


def _tell_rest(settings: Settings, before: Standing | None, base: Standing) -> None:
    """Drain the spool, then say what there is and what is not."""
    with House(settings) as house:
        house.loop.drain_now()
        home = house.home
    after = examine(home.ledger)
    typer.echo(f"The spool was read again: the ledger has {_held(after)} now.")
    for line in _losses(lost_parts(before, base, after, (home.spool, home.content))):
        typer.echo(line)


def _losses(lost: Lost) -> Iterator[str]:
    if not lost.is_known:
        yield (
            "How far the spool had been read could not be made out, so what is missing cannot be counted. "
            + (f"The spool reaches back to {lost.spool_from}" if lost.spool_from else "The spool is empty")
            + ": what is older, and had left it, is only in the file that was set aside."
        )
    if not lost.parts:
        if lost.is_known:
            yield "Nothing is missing: every segment is read as far as it ever was."
        return
    yield (
        f"Not recovered: {lost.records:,} requests of {len(lost.parts):,} segments, read into the ledger up to "
        f"{lost.parts[-1].drained_at:%Y-%m-%d %H:%M:%S} UTC, which are not on the spool any more:"
    )
    for part in lost.parts[:_MOST_PARTS]:
        until = "an unknown end" if part.until is None else f"byte {part.until:,}"
        records = "an unknown number of" if part.records is None else f"{part.records:,}"
        yield f"  {part.file} from byte {part.since:,} to {until}: {records} requests"
    if len(lost.parts) > _MOST_PARTS:
        yield f"  … and {len(lost.parts) - _MOST_PARTS:,} more segments"


def _held(standing: Standing) -> str:
    if standing.requests is None:
        return "an unknown number of requests"
    if standing.first_at is None or standing.last_at is None:
        return f"{standing.requests:,} requests"
    return (
        f"{standing.requests:,} requests from {standing.first_at:%Y-%m-%d %H:%M} "
        f"to {standing.last_at:%Y-%m-%d %H:%M} UTC"
    )
