"""A ledger of any released schema becomes one of today and keeps what it has, however often it is interrupted."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from monitor.clock import system_clock
from monitor.control.store import Control
from monitor.errors import ControlError, LedgerError
from monitor.ledger import queries
from monitor.ledger.check import check
from monitor.ledger.ledger import Ledger
from monitor.ledger.migrate import migrate
from tests.architecture.sources import ROOT
from tests.world import ALWAYS

_DAY = "timestamp '2026-11-20 10:00:00'"
_REQUESTS = f"""
    insert into requests by name
    select uuid() as record_id, uuid() as call_id, 0 as attempt, {_DAY} + i * interval 7 minute as started_at,
        1.5 as duration, 'openai' as provider_name, 'chat' as operation_name, '/chat/completions' as endpoint,
        'POST' as method, 'gpt-4o' as model, false as is_streaming, false as is_batch, true as is_billable,
        'completed' as outcome, 'response' as usage_source, i as input_tokens, 5 as output_tokens,
        'priced' as pricing_state, i * 0.000001 as list_cost, 'team-' || i % 3 as team, 'user-' || i % 7 as "user",
        case when i % 10 = 0 then 'server' end as error_class, map {{'a': 'b'}} as tags
    from range(200) t(i)
"""
_ROLLUP = """
    insert into usage_hourly by name
    select date_trunc('hour', started_at) as hour, model, provider_name, operation_name, team, "user", error_class,
        count(*) as requests, count(*) as calls, count(error_class) as errors, 0 as interrupted_requests,
        0 as unknown_requests, 0 as unpriced_requests, 0 as estimated_requests,
        cast(sum(input_tokens) as bigint) as input_tokens, cast(sum(output_tokens) as bigint) as output_tokens,
        sum(list_cost) as list_cost, map {10::smallint: count(*)} as duration_buckets
    from requests group by all
"""
_OTHERS = (
    f"""
    insert into begins by name select uuid() as record_id, uuid() as call_id, 0 as attempt, {_DAY} as started_at,
        'openai' as provider_name, 'chat' as operation_name, '/x' as endpoint, true as is_billable, 's1' as segment
    """,
    f"insert into checkpoints values ('s1', 'f1', 'w', 0, 900, 203, 200, 1, 203, true, {_DAY})",
    f"insert into quarantine values ('s1', 'f1', 17, 'checksum', 'bad', {_DAY})",
    f"insert into dropped values ('s1', 'disk_full', 2, {_DAY})",
    f"insert into price_matches values ('openai', 'gpt-4o', 'openai/gpt-4o', 'matched', 'list', {_DAY})",
)
_OF_0002 = (
    "update usage_hourly set priced_requests = requests, measured_requests = requests",
    f"insert into counted_usages values ('work', 'openai/resp', uuid(), {_DAY})",
    f"insert into contents values (uuid(), {_DAY}, 'asked', 'said', false)",
)


def _older(path: Path, revision: str) -> Path:
    """A ledger as an older program left it, with a row in every table."""
    migrate(path, to=revision)
    with duckdb.connect(str(path)) as connection:
        for sql in (_REQUESTS, _ROLLUP, *_OTHERS, *(_OF_0002 if revision == "0002" else ())):
            connection.execute(sql)
    return path


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_an_older_ledger_is_upgraded_and_keeps_everything(tmp_path: Path, revision: str) -> None:
    """Rows, sums by every dimension, positions, quarantine; and all of it agrees."""
    path = _older(tmp_path / "ledger.duckdb", revision)
    with Ledger.open(path) as ledger, ledger.cursor() as cursor:
        whole = queries.totals(ledger, ALWAYS)
        teams = {group.value: group.totals.requests for group in queries.by_dimension(ledger, ALWAYS, "team")}
        users = {group.value: group.totals.requests for group in queries.by_dimension(ledger, ALWAYS, "user")}
        tables = ("requests", "begins", "checkpoints", "quarantine", "dropped", "price_matches", "counted_usages")
        counts = [cursor.execute(f"select count(*) from {table}").fetchall()[0][0] for table in tables]
        found = check(ledger)

    assert (whole.requests, whole.errors, whole.input_tokens) == (200, 20, 19_900)
    assert whole.list_cost == Decimal("0.0199")
    assert teams == {"team-0": 67, "team-1": 67, "team-2": 66}
    assert sum(users.values()) == 200
    assert len(users) == 7
    assert counts == [200, 1, 1, 1, 1, 1, int(revision == "0002")]
    assert found.faults == ()


@pytest.mark.parametrize("every", [20, pytest.param(1, marks=pytest.mark.torture)])
def test_an_upgrade_that_is_killed_can_be_run_again(tmp_path: Path, every: int) -> None:
    """At whichever statement: the ledger is the old one, or the new one."""
    older = _older(tmp_path / "older.duckdb", "0001")
    path = tmp_path / "ledger.duckdb"
    status, statement = 9, 2
    while status == 9:
        shutil.copy(older, path)
        status = _upgrade(path, statement)
        with Ledger.open(path) as ledger:
            assert queries.totals(ledger, ALWAYS).requests == 200
        statement += every

    assert status == 0
    assert statement > 40


def _upgrade(path: Path, dies_at: int) -> int:
    command = [sys.executable, "-m", "tests.ledger.killed_upgrade", str(path), str(dies_at)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode


@pytest.mark.parametrize("revision", ["9999", "0001"])
def test_reading_refuses_what_it_does_not_know(tmp_path: Path, revision: str) -> None:
    """A newer ledger with a word about the program, an older one with a word about the upgrade."""
    path = tmp_path / "ledger.duckdb"
    Ledger.open(path).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("update alembic_version set version_num = ?", [revision])

    with pytest.raises(LedgerError, match=r"Upgrade openai-monitor|it upgrades the ledger"):
        Ledger.open_read_only(path)


def test_a_control_store_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    """By everything that opens it."""
    path = tmp_path / "control.sqlite"
    Control.open(path, system_clock).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update alembic_version set version_num = '9999'")

    with pytest.raises(ControlError, match=r"9999.*does not know. Upgrade openai-monitor"):
        Control.open(path, system_clock)
