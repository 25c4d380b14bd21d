"""A program and `monitor report`, no server: the figures are there, to the digit."""

import json
from pathlib import Path

from tests.flow.running import Running, monitor, report, run

_APP = "tests.flow.plain_app"
_ANSWER = "Yes.\n"


def test_a_report_after_a_program_is_exact(tmp_path: Path) -> None:
    """20 calls of 1,000 tokens in at $0.15 and 100 out at $0.60 a million cost $0.0042."""
    home = tmp_path / "home"
    app = run("-m", _APP, "20", home=home)
    answer = report(home)

    figures = {
        "requests": 20,
        "calls": 20,
        "errors": 0,
        "input_tokens": 20_000,
        "output_tokens": 2_000,
        "list_cost": "0.0042",
        "unpriced_requests": 0,
        "estimated_requests": 0,
        "estimated_list_cost": None,
    }
    assert (app.status, app.out, app.err) == (0, _ANSWER * 20, "")
    assert answer == {"rows": [{"model": "gpt-4o-mini-2024-07-18"} | figures], "total": figures}


def test_a_program_in_a_folder_of_its_own_needs_no_setting(tmp_path: Path) -> None:
    """Where nothing is set, program and report meet in the user's data directory."""
    variables = {"MONITOR_HOME": "", "XDG_DATA_HOME": str(tmp_path / "data"), "HOME": str(tmp_path)}
    run("-m", _APP, "3", home=tmp_path / "unused", more=variables)
    ended = monitor("report", "--json", home=tmp_path / "unused", more=variables)

    assert json.loads(ended.out)["total"]["requests"] == 3
    assert not (tmp_path / "unused").exists()


def test_a_report_while_the_program_runs_tells_what_has_returned(tmp_path: Path) -> None:
    """Each report knows the calls up to its moment, and none of them twice."""
    home = tmp_path / "home"
    with Running("-m", "tests.flow.asked_app", home=home) as app:
        seen = []
        for number in (1, 2, 3):
            app.ask()
            app.wait_for(f"returned {number}\n")
            seen.append(report(home)["total"]["requests"])

    assert seen == [1, 2, 3]


def test_nothing_is_recorded_when_it_is_switched_off(tmp_path: Path) -> None:
    """The calls are made; no directory, no file."""
    home = tmp_path / "home"
    app = run("-m", _APP, "2", home=home, more={"MONITOR_ENABLED": "false"})

    assert (app.status, app.out, app.err) == (0, _ANSWER * 2, "")
    assert not home.exists()
