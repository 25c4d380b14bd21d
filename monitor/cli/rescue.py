"""`monitor ledger backup`, `restore` and `recover`: for the day on which something is damaged or gone."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from monitor.cli.asking import ask_task
from monitor.cli.context import load_settings
from monitor.clock import system_clock
from monitor.errors import LedgerError
from monitor.home import Home
from monitor.house import House
from monitor.jobs.backup import Restored, ledger_of, read_backup, restore
from monitor.ledger.examine import Standing, examine
from monitor.ledger.lease import Lease
from monitor.ledger.lost import Lost, lost_parts
from monitor.ledger.recovery import Recovery, recover
from monitor.ledger.unfinished import finish_recovery, read_unfinished
from monitor.settings import Settings
from monitor.spool.reader import list_segments

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
    settings, home = _place()
    with Lease(home.lease) as lease:
        _restore(settings, home, source.absolute(), lease)


def recover_ledger(
    backup: Annotated[
        Path | None, typer.Option("--from", help="A backup to go on from, if the ledger's file itself is damaged.")
    ] = None,
) -> None:
    """Make a damaged ledger usable: set aside what is damaged, and read the spool again. Nothing is deleted."""
    settings, home = _place()
    with Lease(home.lease) as lease:
        if (source := _begun_restoring(home, backup)) is not None:
            _restore(settings, home, source, lease)
        else:
            _recover(settings, home, backup, lease)


def _place() -> tuple[Settings, Home]:
    settings = load_settings()
    home = Home(settings.home)
    home.create()
    return settings, home


def _restore(settings: Settings, home: Home, source: Path, lease: Lease) -> None:
    done = restore(home, source, system_clock)
    _tell_begun("restoring", done.begun_at)
    typer.echo(f"Restored the backup of {done.backup.made_at:%Y-%m-%d %H:%M:%S} UTC, with {_held(done.now)}.")
    _tell_aside(done.aside)
    _tell_rest(settings, done, lease)


def _recover(settings: Settings, home: Home, backup: Path | None, lease: Lease) -> None:
    _require_something(home, backup)
    done = recover(home.ledger, system_clock, backup=_checked_copy(backup))
    if done.base == "whole":
        typer.echo(
            f"The ledger {home.ledger} opens, and all of it can be read: {_held(done.now)}. Nothing was changed."
        )
        return
    _tell_begun("recovery", done.begun_at)
    typer.echo(_found(home.ledger, done.before))
    _tell_aside(done.aside)
    typer.echo(_going_on(done))
    _tell_rest(settings, done, lease)


def _begun_restoring(home: Home, backup: Path | None) -> Path | None:
    """The backup whose restoring was broken off."""
    begun = read_unfinished(home.ledger)
    if begun is None or begun.command != "restore" or begun.copy is None:
        return None
    source = Path(begun.copy).parent
    if backup is not None and backup.absolute() != source:
        raise LedgerError(f"The backup {source} is half restored. Run {begun.words}, or restore another backup.")
    return source


def _require_something(home: Home, backup: Path | None) -> None:
    """Where nothing was ever recorded somebody means another directory."""
    is_there = home.ledger.exists() or backup is not None or read_unfinished(home.ledger) is not None
    if not is_there and not any(any(list_segments(place)) for place in (home.spool, home.content)):
        raise LedgerError(
            f"There is no ledger {home.ledger}, and nothing on the spool. To bring one back: monitor ledger restore "
            "BACKUP. If your app uses another data directory, set MONITOR_HOME to it."
        )


def _checked_copy(backup: Path | None) -> Path | None:
    if backup is None:
        return None
    read_backup(backup)
    return ledger_of(backup.absolute())


def _tell_begun(what: str, begun_at: datetime | None) -> None:
    if begun_at is not None:
        typer.echo(f"Going on with the {what} that was begun at {begun_at:%Y-%m-%d %H:%M:%S} UTC and broken off.")


def _found(path: Path, before: Standing | None) -> str:
    return f"There is no ledger {path}." if before is None else f"The ledger {path} is damaged: {before.fault}"


def _going_on(done: Recovery) -> str:
    if done.base == "checkpoint":
        return (
            f"Its file is whole: it goes on from its last checkpoint, with {_held(done.now)}. What only the "
            "write-ahead log had is still on the spool, which is kept until a checkpoint."
        )
    if done.before is None:
        begin = ""
    elif done.base == "backup":
        begin = "Its file is damaged too. "
    else:
        found = "nothing of it could be read" if done.before.requests is None else f"it had {_held(done.before)}"
        begin = f"Its file is damaged too; {found}. "
    if done.base == "backup":
        return f"{begin}It goes on from the backup, with {_held(done.now)}."
    return f"{begin}No backup was named: a new ledger is made of what the spool has."


def _tell_aside(aside: tuple[Path, ...]) -> None:
    for path in aside:
        typer.echo(f"Set aside: {path}")


def _tell_rest(settings: Settings, done: Recovery | Restored, lease: Lease) -> None:
    """Drain the spool, then say what there is and what is not, and forget the recovery."""
    with House(settings, recovering=lease) as house:
        house.loop.drain_now()
        home = house.home
    after = examine(home.ledger)
    typer.echo(f"The spool was read again: the ledger has {_held(after)} now.")
    lost = lost_parts(_lost_from(done), done.now, after, (home.spool, home.content))
    for line in _losses(lost, is_gone=done.before is None):
        typer.echo(line)
    finish_recovery(home.ledger)


def _lost_from(done: Recovery | Restored) -> Standing | None:
    """What may be missing now: nothing of a ledger that only went back to its checkpoint."""
    if isinstance(done, Recovery) and done.base == "checkpoint":
        return None
    return done.before or Standing()


def _losses(lost: Lost, *, is_gone: bool) -> Iterator[str]:
    if not lost.is_known:
        yield (
            "How far the spool had been read could not be made out, so what is missing cannot be counted. "
            + (f"The spool reaches back to {lost.spool_from}" if lost.spool_from else "The spool is empty")
            + ": what is older, and had left it, is only in "
            + ("the ledger that is gone." if is_gone else "the file that was set aside.")
        )
    if not lost.parts:
        if lost.is_known:
            yield "Nothing is missing: every segment is read as far as it ever was."
        return
    least = "at least " if any(part.records is None for part in lost.parts) else ""
    yield (
        f"Not recovered: {least}{lost.records:,} requests of {len(lost.parts):,} segments, read into the ledger up to "
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
