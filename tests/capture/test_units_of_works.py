"""What works that go on by themselves tell: batches, jobs, runs, turns of agents, and things that are kept."""

import pytest

from monitor.capture.units import answer_parts, answer_units
from tests.capture.told_units import Facts, answer_of, told_by


@pytest.mark.parametrize(
    ("status", "background", "told"),
    [
        ("completed", False, "completed"),
        ("incomplete", None, "incomplete"),
        ("in_progress", True, "in_progress"),
        ("in_progress", False, None),
        ("queued", None, None),
        ([], True, None),
        (None, None, None),
    ],
)
def test_only_work_in_the_background_is_pending(status: object, background: object, told: str | None) -> None:
    """A stream begins in progress; when it is cut short, nobody goes on with it."""
    body = {"id": "resp_1", "status": status, "background": background}

    assert told_by("POST /responses", body).get("answer_status") == told


@pytest.mark.parametrize(
    ("place", "body", "units"),
    [
        ("POST /batches", {"status": "validating"}, {"answer_status": "validating", "is_batch": True}),
        (
            "GET /batches/b",
            {"status": "expired", "output_file_id": "file-2"},
            {"answer_status": "expired", "is_batch": True, "file_id": "file-2"},
        ),
        ("POST /fine_tuning/jobs", {"status": "queued", "trained_tokens": None}, {"answer_status": "queued"}),
        ("GET /fine_tuning/jobs/j", {"status": "running", "trained_tokens": 5}, {"answer_status": "running"}),
        ("GET /fine_tuning/jobs/j", {"status": "failed", "trained_tokens": 5}, {"answer_status": "failed"}),
        (
            "POST /fine_tuning/jobs/j/cancel",
            {"status": "cancelled", "trained_tokens": 5},
            {"answer_status": "cancelled", "trained_tokens": 5, "usage_source": "late"},
        ),
        (
            "GET /threads/t/runs/r",
            {"object": "thread.run", "thread_id": "t", "status": "requires_action"},
            {"answer_status": "requires_action", "conversation_id": "t"},
        ),
        (
            "POST /threads/t/runs",
            {"object": "thread.run.step", "thread_id": "t", "run_id": "r", "status": "completed"},
            {"response_id": "r", "conversation_id": "t"},
        ),
        ("POST /threads/t/runs", {"object": "thread.message", "thread_id": "t"}, {"conversation_id": "t"}),
        ("POST /threads", {"id": "thread_1"}, {"conversation_id": "thread_1"}),
        (
            "POST /containers",
            {"id": "cntr_1", "status": "running", "memory_limit": "4g"},
            {"containers": ["cntr_1"], "container_memory": "4g", "usage_source": "response"},
        ),
        ("POST /containers", {"memory_limit": 4}, {"container_memory": "4"}),
        (
            "GET /containers/c",
            {"id": "cntr_1", "memory_limit": "4g"},
            {"containers": ["cntr_1"], "container_memory": "4g"},
        ),
        (
            "POST /realtime/client_secrets",
            {"value": "ek_secret", "session": {"id": "sess_1", "model": "gpt-realtime", "client_secret": "ek_secret"}},
            {"conversation_id": "sess_1", "response_model": "gpt-realtime"},
        ),
        ("POST /live/sessions", {"id": "live_1", "session": "x"}, {"conversation_id": "live_1"}),
        (
            "GET /agents/sessions/s/turns/t",
            {"id": "turn_1", "session_id": "sess_1", "status": "failed"},
            {"answer_status": "failed", "conversation_id": "sess_1"},
        ),
        ("POST /agents/sessions", {"id": "sess_1", "status": "idle"}, {}),
        ("POST /files", {"id": "file-1", "status": "processed"}, {"file_id": "file-1"}),
        ("POST /uploads/u/complete", {"id": "upload_1", "file": {"id": "file-1"}}, {"file_id": "file-1"}),
        ("POST /uploads/u/complete", {"id": "upload_1", "file": 3}, {"file_id": "upload_1"}),
    ],
)
def test_work_and_things_tell_their_units(place: str, body: object, units: Facts) -> None:
    """States, files, threads and containers stand in the record; secrets never do."""
    assert told_by(place, body) == units


def _eval_run(status: str, *models: str) -> Facts:
    usage = [{"model_name": name, "prompt_tokens": 10 * (n + 1), "cached_tokens": n} for n, name in enumerate(models)]
    return {"id": "evalrun_1", "status": status, "model": "gpt-4.1", "per_model_usage": usage}


def test_an_eval_run_has_a_record_for_each_model() -> None:
    """The run's own model is that of its record; each other counts by its own name, whatever the order."""
    models = ["gpt-4.1-mini-2025-04-14", "gpt-4.1-2025-04-14", "o3"]
    answer = answer_of("GET /evals/e/runs/r", _eval_run("completed", *models), {"response_id": "evalrun_1"})

    assert answer_units(answer) == {
        "answer_status": "completed",
        "response_model": "gpt-4.1-2025-04-14",
        "input_tokens": 20,
        "cache_read_input_tokens": 1,
        "usage_source": "late",
    }
    assert [(part["response_id"], part["input_tokens"], part["usage_source"]) for part in answer_parts(answer)] == [
        ("evalrun_1/gpt-4.1-mini-2025-04-14", 10, "late"),
        ("evalrun_1/o3", 30, "late"),
    ]


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_an_eval_run_counts_when_it_has_ended(status: str) -> None:
    """What is used so far would be counted for the whole."""
    answer = answer_of("GET /evals/e/runs/r", _eval_run(status, "gpt-4.1", "o3"), {"response_id": "evalrun_1"})

    assert answer_units(answer) == {"answer_status": status}
    assert answer_parts(answer) == []


@pytest.mark.parametrize(
    ("event", "parts"),
    [
        (
            {
                "type": "agent.session.turn.completed",
                "session_id": "sess_1",
                "turn_id": "turn_1",
                "turn": {"id": "turn_1", "status": "completed", "usage": {"input_tokens": 1}},
                "usage": {"input_tokens": 5, "output_tokens": 2},
            },
            [
                {
                    "response_id": "turn_1",
                    "conversation_id": "sess_1",
                    "answer_status": "completed",
                    "input_tokens": 5,
                    "output_tokens": 2,
                    "usage_source": "late",
                }
            ],
        ),
        (
            {"type": "agent.session.turn.failed", "turn": {"id": "turn_2", "usage": {"input_tokens": 1}}},
            [{"response_id": "turn_2", "input_tokens": 1, "usage_source": "late"}],
        ),
        ({"type": "agent.session.turn.completed", "turn_id": "turn_1", "turn": None, "usage": None}, []),
        ({"type": "agent.session.turn.completed", "usage": {"input_tokens": 5}}, []),
        ({"type": "agent.session.turn.created", "turn_id": "turn_1", "usage": {"input_tokens": 5}}, []),
    ],
)
def test_each_turn_of_an_agent_is_a_work(event: object, parts: list[Facts]) -> None:
    """A stream of a session tells of many turns; each counts by its own id."""
    assert answer_parts(answer_of("GET /agents/sessions/s/events", event)) == parts
