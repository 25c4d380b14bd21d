"""`monitor demo` as somebody sees it who tries it out."""

import signal
from pathlib import Path

import pytest

from tests.flow.running import Running, Server, report
from tests.receivers import eventually

_DEMO = ("demo", "--port", "0", "--no-open", "--days", "2")
_WORDS_OF_TROUBLE = ("ERROR", "WARNING", "CRITICAL", "Traceback", "Exception")


def test_the_demo_is_at_work_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Pages answer, calls come in, nothing complains; at its end its directory is gone."""
    with Server(tmp_path / "unused", command=_DEMO, more={"TMPDIR": str(tmp_path)}) as demo:
        (home,) = tmp_path.glob("openai-monitor-demo-*")
        page = demo.get("/")
        health = demo.get("/api/health")
        before = report(home)["total"]["requests"]

        assert page.status_code == 200
        assert (health.status_code, health.json()["status"]) == (200, "ok")
        assert before > 100
        assert eventually(lambda: report(home)["total"]["requests"] > before, within=60)
        demo.send(signal.SIGTERM)
        ended = demo.ended()

    assert ended.status == 0
    assert [word for word in _WORDS_OF_TROUBLE if word in ended.out + ended.err] == []
    assert not home.exists()


def test_the_demo_keeps_a_directory_that_it_was_given(tmp_path: Path) -> None:
    """A second start goes on with it."""
    home = tmp_path / "kept"
    with Server(tmp_path / "unused", command=(*_DEMO, "--home", str(home))) as demo:
        assert (home / "server.json").exists()
        demo.send(signal.SIGINT)
        ended = demo.ended()
    first = report(home)["total"]["requests"]
    with Server(tmp_path / "unused", command=(*_DEMO, "--home", str(home))) as demo:
        again = report(home)["total"]["requests"]
        demo.send(signal.SIGTERM)

        assert demo.ended().status == 0

    assert (ended.status, first > 100) == (0, True)
    assert again >= first
    assert "has data already" in demo.out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_demo_that_is_stopped_early_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    """It is stopped while it still makes a long history."""
    command = ("demo", "--port", "0", "--no-open", "--days", "400")
    with Running("-m", "monitor.cli.entry", *command, home=tmp_path / "unused", more={"TMPDIR": str(tmp_path)}) as demo:
        demo.wait_for("Making 400 days of history")
        assert list(tmp_path.glob("openai-monitor-demo-*"))
        demo.send(number)
        ended = demo.ended()

    assert ended.status != 0
    assert [word for word in _WORDS_OF_TROUBLE if word in ended.out + ended.err] == []
    assert list(tmp_path.glob("openai-monitor-demo-*")) == []
