"""`monitor show`: a request found by its id, with what was asked and answered where that is kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.capture.contents import ContentWriter
from monitor.errors import MonitorError
from monitor.health import Health
from monitor.home import Home
from monitor.records import Content, Record
from tests.cli.commands import run, spooled
from tests.factories import NOW, make_record

_RECORD = make_record(response_id="resp_1", request_id="req_1", team="search", tags={"plan": "pro"})
_ASKED, _ANSWERED = {"model": "gpt-4o", "input": "Où est la tour ?"}, '{"output":"À Paris\\u001b[31m."}'


def _kept(directory: Path, *records: Record, **more: Any) -> Path:
    """The data directory of a program that keeps contents."""
    home = spooled(directory, *records)
    writer = ContentWriter(Home(home), segment_size=2**25, health=Health())
    for record in records:
        content = {"request": json.dumps(_ASKED), "answer": _ANSWERED} | more
        writer.write(Content(record_id=record.record_id, started_at=NOW, **content))
    return home


def _shown(home: Path, *words: str) -> str:
    result = run(home, "show", *words)
    assert result.exception is None
    return result.stdout


@pytest.mark.parametrize("name", [_RECORD.record_id, "resp_1", "req_1"], ids=["record", "response", "request"])
def test_a_request_is_shown_by_each_of_its_ids(tmp_path: Path, name: str) -> None:
    """All fields that are known, its cost, and its content; no server is needed."""
    lines = _shown(_kept(tmp_path, _RECORD), name).splitlines()
    fields = {name: value.strip() for name, _, value in (line.partition(" ") for line in lines) if value}
    assert (fields["record_id"], fields["team"], fields["tags"]) == (_RECORD.record_id, "search", '{"plan": "pro"}')
    assert (fields["list_cost"], fields["pricing_state"]) == ("0.0035", "priced")
    assert fields["started_at"] == "2026-11-20T12:00:00+00:00"
    assert not {"error_class", "user", "content"} & set(fields)
    assert '  "input": "Où est la tour ?"' in lines
    assert [line for line in lines if line in ("request", "answer")] == ["request", "answer"]


def test_nothing_that_steers_a_terminal_is_printed(tmp_path: Path) -> None:
    """An answer can hold anything."""
    shown = _shown(_kept(tmp_path, _RECORD, answer="\x1b[2J\x07 gone\u202e\x9b1m"), "resp_1")

    assert "\ufffd[2J\ufffd gone\ufffd\ufffd1m" in shown


def test_json_says_all(tmp_path: Path) -> None:
    """For programs: ids as they are on the spool, money as text, what is unknown as null."""
    (row,) = json.loads(_shown(_kept(tmp_path, _RECORD), "resp_1", "--json"))

    assert (row["record_id"], row["list_cost"], row["user"]) == (_RECORD.record_id, "0.0035", None)
    assert (json.loads(row["content"]["request"]), row["content"]["answer"]) == (_ASKED, _ANSWERED)
    assert row["content"]["is_cut"] is False


def test_a_request_without_content_is_shown_without(tmp_path: Path) -> None:
    """Most are."""
    home = spooled(tmp_path, _RECORD)
    (row,) = json.loads(_shown(home, "resp_1", "--json"))

    assert row["content"] is None
    assert "\nrequest\n" not in _shown(home, "resp_1")


def test_a_content_that_was_cut_says_so(tmp_path: Path) -> None:
    """With the setting that decides it."""
    shown = _shown(_kept(tmp_path, _RECORD, request='{"torn": "', is_cut=True), "resp_1")

    assert '{"torn": "' in shown
    assert "More than content_limit is not kept." in shown


def test_all_requests_of_an_id_are_shown(tmp_path: Path) -> None:
    """Such as the polls of a response; the oldest first."""
    home = spooled(tmp_path, *(make_record(response_id="resp_1", attempt=number) for number in range(3)))

    assert [row["attempt"] for row in json.loads(_shown(home, "resp_1", "--json"))] == [0, 1, 2]
    assert _shown(home, "resp_1").count("record_id") == 3


def test_an_id_that_is_nobodys_is_a_fault(tmp_path: Path) -> None:
    """It says which ids there are. For a program it is an empty list."""
    home = spooled(tmp_path)
    result = run(home, "show", "resp_9")

    assert isinstance(result.exception, MonitorError)
    assert "No request with the id 'resp_9'" in str(result.exception)
    assert json.loads(_shown(home, "resp_9", "--json")) == []
