"""A damaged ledger becomes what an undamaged one would be, from its last checkpoint, a backup and the spool."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from monitor.clock import system_clock
from monitor.errors import LedgerError
from monitor.home import Home
from monitor.jobs.backup import ledger_of
from monitor.ledger.aside import write_ahead_logs
from monitor.ledger.examine import examine
from monitor.ledger.ledger import Ledger
from monitor.ledger.lost import lost_parts
from monitor.ledger.recovery import recover
from tests.ledger.damaged import DAMAGES, Dump, Template, drained, make_template


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def whole(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Dump:
    """What the undamaged twin holds."""
    home = template.copy(tmp_path_factory.mktemp("twin") / "home")
    return drained(home)


@pytest.fixture(scope="module")
def spooled(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Dump:
    """What a new ledger holds that reads the same spool."""
    home = template.copy(tmp_path_factory.mktemp("spooled") / "home")
    for path in (home.ledger, *write_ahead_logs(home.ledger)):
        path.unlink()
    return drained(home)


def _log(home: Home) -> Path:
    (log,) = write_ahead_logs(home.ledger)
    return log


def _damage(path: Path, how: str, seed: int) -> None:
    path.write_bytes(DAMAGES[how](path.read_bytes(), Random(seed)))


def test_the_template_tells_something(template: Template, whole: Dump, spooled: Dump) -> None:
    """There is a log, and a part of the ledger that the spool has not."""
    assert _log(Home(template.home)).stat().st_size > 100_000
    assert len(whole["requests"]) > len(spooled["requests"]) > 500
    assert {len(whole[name]) for name in ("quarantine", "contents", "counted_usages")} & {0} == set()


def test_a_damaged_log_is_set_aside_and_nothing_is_lost(template: Template, whole: Dump, tmp_path: Path) -> None:
    """The ledger goes on from its last checkpoint, and the spool still has what came since."""
    home = template.copy(tmp_path / "home")
    log = _log(home)
    _damage(log, "flipped", 1)
    content = log.read_bytes()
    with pytest.raises(LedgerError, match="run: monitor ledger recover"):
        Ledger.open(home.ledger)
    done = recover(home.ledger, system_clock)
    (aside,) = done.aside

    assert done.base == "checkpoint"
    assert aside.read_bytes() == content
    assert drained(home) == whole


@pytest.mark.parametrize("how", ["truncated", "beheaded"])
def test_what_duckdb_passes_over_of_a_log_needs_no_recovery(
    template: Template, whole: Dump, tmp_path: Path, how: str
) -> None:
    """Transactions are not there, with their positions: the spool is read again from where it was."""
    home = template.copy(tmp_path / "home")
    _damage(_log(home), how, 4)
    done = recover(home.ledger, system_clock)

    assert (done.base, done.aside) == ("whole", ())
    assert drained(home) == whole


def test_with_a_damaged_file_it_goes_on_from_a_backup(template: Template, whole: Dump, tmp_path: Path) -> None:
    """And with what the spool has since; the damaged file is kept, its log beside it where DuckDB looks for it."""
    home = template.copy(tmp_path / "home")
    _damage(home.ledger, "beheaded", 5)
    content = home.ledger.read_bytes()
    done = recover(home.ledger, system_clock, backup=ledger_of(template.backup))
    log, file = done.aside

    assert done.base == "backup"
    assert file.read_bytes() == content
    assert write_ahead_logs(file) == [log]
    assert drained(home) == whole


def test_with_a_damaged_file_and_no_backup_it_is_made_of_the_spool(
    template: Template, spooled: Dump, tmp_path: Path
) -> None:
    """And that it cannot be told what is missing is told."""
    home = template.copy(tmp_path / "home")
    _damage(home.ledger, "beheaded", 6)
    done = recover(home.ledger, system_clock)
    found = drained(home)
    lost = lost_parts(done.before, done.now, examine(home.ledger), (home.spool, home.content))

    assert done.base == "nothing"
    assert found == spooled
    assert (lost.is_known, lost.parts) == (False, ())
    assert lost.spool_from is not None


def test_what_is_lost_is_counted_where_the_damaged_file_still_tells_it(
    template: Template, whole: Dump, tmp_path: Path
) -> None:
    """A block of the requests is damaged; the positions can be read."""
    home = template.copy(tmp_path / "home")
    with Ledger.open(home.ledger) as ledger:
        ledger.checkpoint()
    content = home.ledger.read_bytes()
    for seed in range(100):
        home.ledger.write_bytes(DAMAGES["overwritten"](content, Random(seed)))
        standing = examine(home.ledger)
        if standing.fault is not None and standing.places is not None:
            break
    done = recover(home.ledger, system_clock)
    found = drained(home)
    lost = lost_parts(done.before, done.now, examine(home.ledger), (home.spool, home.content))

    assert done.base == "nothing"
    assert lost.is_known
    # One request more was lost that had never ended: its begin line is no record.
    assert lost.records == len(whole["requests"]) - len(found["requests"]) - 1
    assert lost.records == sum(part.records or 0 for part in lost.parts) > 300


def test_a_ledger_that_is_well_is_left_alone(template: Template, tmp_path: Path) -> None:
    """Not a byte changes, and its log stays where it is."""
    home = template.copy(tmp_path / "home")
    before = {path: path.read_bytes() for path in home.path.glob("ledger*")}
    done = recover(home.ledger, system_clock)

    assert done.base == "whole"
    assert done.before is not None
    assert done.before.fault is None
    assert {path: path.read_bytes() for path in home.path.glob("ledger*")} == before


def test_a_ledger_that_somebody_else_has_open_is_not_called_damaged(template: Template, tmp_path: Path) -> None:
    """A DuckDB shell, perhaps: nothing is set aside."""
    home = template.copy(tmp_path / "home")
    names = sorted(home.path.iterdir())
    with Ledger.open(home.ledger), pytest.raises(LedgerError, match="Another program has the file open"):
        recover(home.ledger, system_clock)

    assert sorted(path for path in home.path.iterdir() if path.suffix != ".wal") == [
        name for name in names if name.suffix != ".wal"
    ]


@pytest.mark.torture
def test_whatever_is_damaged_nothing_is_lost_that_anything_still_has(
    template: Template, whole: Dump, spooled: Dump, tmp_path: Path, kills: int
) -> None:
    """The log or the file, in any way, anywhere, with a backup and without."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for seed, (what, how, has_backup) in enumerate(_cases(kills)):
        home = template.copy(tmp_path / f"{seed}")
        _damage(_log(home) if what == "log" else home.ledger, how, seed)
        done = recover(home.ledger, system_clock, backup=ledger_of(template.backup) if has_backup else None)
        seen[what, how, done.base] += 1
        assert drained(home) == (spooled if done.base == "nothing" else whole), (seed, what, how, has_backup, done)

    assert {base for what, _, base in seen if what == "log"} == {"whole", "checkpoint"}
    assert {base for what, _, base in seen if what == "file"} >= {"backup", "nothing"}


def _cases(number: int) -> Iterator[tuple[str, str, bool]]:
    for case in range(number):
        yield "log" if case % 2 else "file", list(DAMAGES)[case // 2 % len(DAMAGES)], case % 4 < 2
