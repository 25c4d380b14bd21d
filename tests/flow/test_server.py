"""`monitor up`: what it answers, how it is stopped, what it refuses."""

import json
import signal
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from monitor.api import Question
from monitor.cli.asking import ask
from monitor.ledger.lease import Lease
from monitor.settings import Settings
from tests.flow.running import DEADLINE, Ended, Running, Server, monitor, report, run
from tests.receivers import eventually

_EVER = Question(by="model", start=datetime(2020, 1, 1, tzinfo=UTC), end=datetime(2100, 1, 1, tzinfo=UTC))


def _server_file(home: Path) -> Path:
    return home / "server.json"


def _is_put_away(home: Path, ended: Ended) -> None:
    assert (ended.status, ended.err) == (0, "")
    assert not _server_file(home).exists()
    Lease(home / "server.lock").release()


def test_a_server_answers_and_stops_when_told(tmp_path: Path) -> None:
    """Health is open to all, the page is there, the report asks for the token; SIGTERM puts everything away."""
    home = tmp_path / "home"
    with Server(home) as server:
        health = server.get("/api/health")
        page = server.get("/")
        token = json.loads(_server_file(home).read_text())["token"]
        known_health = server.get("/api/health", token=token)
        question = "/api/report?by=model&start=2026-01-01T00:00:00%2B00:00&end=2027-01-01T00:00:00%2B00:00"
        without, wrong, right = (server.get(question, token=shown) for shown in (None, "guessed", token))
        server.send(signal.SIGTERM)
        ended = server.ended()

    assert (health.status_code, health.json()["status"]) == (200, "ok")
    assert (str(home) in health.text, known_health.json()["home"]) == (False, str(home))
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (without.status_code, wrong.status_code, right.status_code) == (401, 401, 200)
    assert right.json()["total"]["requests"] == 0
    _is_put_away(home, ended)


def test_ctrl_c_is_obeyed_from_the_line_that_names_it(tmp_path: Path) -> None:
    """Who reads "Stop with Ctrl-C" and presses it at once, more than once, finds everything put away as well."""
    home = tmp_path / "home"
    with Running("-m", "monitor.cli.entry", "up", "--port", "0", home=home) as server:
        server.wait_for("Stop with Ctrl-C.")
        server.send(signal.SIGINT)
        server.send(signal.SIGINT)

        _is_put_away(home, server.ended())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_page_that_is_open_does_not_hold_up_the_end(tmp_path: Path, number: signal.Signals) -> None:
    """The dashboard's connection runs the page, and is closed when the server stops."""
    home = tmp_path / "home"
    rerun = BackMsg()
    rerun.rerun_script.query_string = ""
    with Server(home) as server:
        address = server.url.replace("http", "ws", 1) + "/_stcore/stream"
        with connect(
            address, origin=Origin(server.url), subprotocols=[Subprotocol("streamlit")], close_timeout=1
        ) as page:
            page.send(rerun.SerializeToString())
            first = page.recv(timeout=DEADLINE)
            server.send(number)
            ended = server.ended()
            with pytest.raises(ConnectionClosed) as closed:
                list(page)

    assert first
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == CloseCode.SERVICE_RESTART
    _is_put_away(home, ended)


def test_calls_of_other_processes_show_by_themselves(tmp_path: Path) -> None:
    """The server takes in what a running program records, and `monitor report` tells of it."""
    home = tmp_path / "home"
    with Server(home) as server, Running("-m", "tests.flow.asked_app", home=home) as app:
        for number in range(1, 6):
            app.ask()
            app.wait_for(f"returned {number}\n")
            assert eventually(
                lambda number=number: server.health()["counters"].get("records_drained_total", 0) == number,  # type: ignore[misc] # bound at once
                within=DEADLINE,
            )
        app.ask()
        app.wait_for("returned 6\n")
        # Asked at once: a report drains first.
        answer = report(home)

        assert answer["total"]["requests"] == 6
        assert answer["total"]["list_cost"] == "0.00126"


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """One sentence, exit status 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = monitor("up", "--port", str(port), home=tmp_path / "home")

    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"error: Port {port} on 127.0.0.1 is taken by another program.")
    assert len(ended.err.splitlines()) == 1


def test_a_second_server_names_the_first(tmp_path: Path) -> None:
    """Two servers cannot have one data directory; the first goes on."""
    home = tmp_path / "home"
    with Server(home) as first:
        ended = monitor("up", "--port", "0", home=home)

        assert (ended.status, ended.out) == (2, "")
        assert f"in use by another monitor process (process {first.process.pid})" in ended.err
        assert len(ended.err.splitlines()) == 1
        assert first.health()["status"] == "ok"


def test_an_address_that_others_reach_must_be_allowed(tmp_path: Path) -> None:
    """The dashboard has no login, so it listens on this machine only unless told otherwise."""
    ended = monitor("up", "--host", "0.0.0.0", "--port", "0", home=tmp_path / "home")  # the address under test

    assert (ended.status, ended.out) == (2, "")
    assert "MONITOR_ALLOW_REMOTE" in ended.err
    assert not (tmp_path / "home").exists()


def test_a_killed_server_stands_in_nobodys_way(tmp_path: Path) -> None:
    """What SIGKILL leaves behind misleads neither a report nor the next server."""
    home = tmp_path / "home"
    run("-m", "tests.flow.plain_app", "3", home=home)
    with Server(home) as server:
        server.killed()
    assert _server_file(home).exists()

    assert report(home)["total"]["requests"] == 3
    with Server(home) as again:
        assert report(home)["total"]["requests"] == 3
        again.send(signal.SIGTERM)
        _is_put_away(home, again.ended())


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"url": 1, "token": "x", "pid": 2}', '{"url": "here", "token": "x", "pid": 2}']
)
def test_a_damaged_server_file_is_passed_over(tmp_path: Path, content: str) -> None:
    """A report that finds no server by it answers itself."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    _server_file(home).write_text(content)

    assert ask(Settings(home=home), _EVER)["total"]["requests"] == 0


def test_another_program_on_the_port_of_a_killed_server_is_not_believed(tmp_path: Path) -> None:
    """It answers 200 and a page, but it is no server of this data directory."""
    home = tmp_path / "home"
    other_home = tmp_path / "other"
    run("-m", "tests.flow.plain_app", "1", home=home)
    with Server(home) as server:
        server.killed()
    with Server(other_home) as other:
        facts = json.loads(_server_file(home).read_text())
        for url in (other.url, f"{other.url}/healthz?"):
            _server_file(home).write_text(json.dumps(facts | {"url": url}))

            assert report(home)["total"]["requests"] == 1


def test_reports_at_the_same_time_all_answer(tmp_path: Path) -> None:
    """Without a server each waits for its turn."""
    home = tmp_path / "home"
    run("-m", "tests.flow.plain_app", "2", home=home)
    command = ("-m", "monitor.cli.entry", "report", "--json")
    with Running(*command, home=home) as one, Running(*command, home=home) as two:
        answers = [reporting.ended() for reporting in (one, two)]

    assert [(ended.status, ended.err) for ended in answers] == [(0, ""), (0, "")]
    assert [json.loads(ended.out)["total"]["requests"] for ended in answers] == [2, 2]


def test_a_damaged_ledger_is_told_in_a_sentence(tmp_path: Path) -> None:
    """A file that is no ledger any more gives exit status 2 and its name, to a report and to a server."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "ledger.duckdb").write_bytes(b"not a ledger\n" * 1_000)

    for command in (("report",), ("up", "--port", "0")):
        ended = monitor(*command, home=home)

        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith(f"error: The ledger {home / 'ledger.duckdb'} cannot be opened: ")
        assert len(ended.err.splitlines()) == 1


def test_damage_anywhere_in_the_ledger_is_told(tmp_path: Path) -> None:
    """Whatever block is altered: the answer does not need it, or the fault is one of ours that names the file."""
    home = tmp_path / "home"
    run("-m", "tests.flow.plain_app", "5", home=home)
    report(home)
    ended = run("-m", "tests.flow.altered_ledgers", str(home), home=home)
    results = json.loads(ended.out)

    assert ended.status == 0
    assert [what for kind, what in results if kind not in ("answered", "told")] == []
    assert {what for kind, what in results if kind == "answered"} <= {5}
    assert [what for kind, what in results if kind == "told" and str(home / "ledger.duckdb") not in what] == []
    assert len(results) > 5
