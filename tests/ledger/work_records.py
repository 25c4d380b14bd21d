"""Records about work that one request begins and later ones report on, as capture makes them."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from monitor.records import Record, Usage
from tests.factories import NOW, make_record, make_usage


def _made(usage: Usage, facts: dict[str, Any]) -> Record:
    quantities = {name: facts.pop(name) for name in Usage.__struct_fields__ if name in facts}
    return make_record(usage=msgspec.structs.replace(usage, **quantities), **facts)


def begun(response_id: str = "resp_1", *, usage: Usage | None = None, **changes: Any) -> Record:
    """The answer to a POST that began a response in the background: nothing is used yet."""
    facts: dict[str, Any] = {
        "response_id": response_id,
        "endpoint": "/responses",
        "answer_status": "queued",
        "usage_source": "none",
        "service_tier": "auto",
        "team": "search",
    }
    return _made(usage or Usage(), facts | changes)


def polled(
    response_id: str | None = "resp_1", *, after: float = 60, usage: Usage | None = None, **changes: Any
) -> Record:
    """An answer that tells what the work used; it knows nothing of the program that began it."""
    facts: dict[str, Any] = {
        "response_id": response_id,
        "operation_name": "retrieve_response",
        "endpoint": "/responses/{id}",
        "method": "GET",
        "request_model": None,
        "is_billable": False,
        "answer_status": "completed",
        "usage_source": "late",
        "service_tier": "default",
        "started_at": NOW + timedelta(seconds=after),
        "team": "polling",
    }
    return _made(usage or make_usage(), facts | changes)


def unfinished(response_id: str = "resp_1", *, after: float = 30, **changes: Any) -> Record:
    """A poll that came too early."""
    return polled(
        response_id,
        after=after,
        usage=Usage(),
        **({"usage_source": "none", "answer_status": "in_progress"} | changes),
    )


def batch_begun(batch: str = "batch_1", **changes: Any) -> Record:
    """The answer to the POST of a batch."""
    facts: dict[str, Any] = {
        "endpoint": "/batches",
        "operation_name": "create_batch",
        "answer_status": "validating",
        "is_billable": False,
        "is_batch": True,
        "request_model": None,
        "response_model": None,
        "service_tier": None,
    }
    return begun(batch, **(facts | changes))


def batch_polled(batch: str = "batch_1", *, file: str | None = "file-out", **changes: Any) -> Record:
    """A batch that is done, with the sum of what its lines used."""
    facts: dict[str, Any] = {
        "endpoint": "/batches/{id}",
        "operation_name": "retrieve_batch",
        "file_id": file,
        "is_batch": True,
        "service_tier": None,
    }
    return polled(batch, **(facts | changes))


def line(name: str = "line-1", *, file: str = "file-out", at: datetime = NOW, **changes: Any) -> Record:
    """A line of the file that a batch put out."""
    facts: dict[str, Any] = {
        "response_id": f"chatcmpl-{name}",
        "file_id": file,
        "custom_id": name,
        "is_batch": True,
        "usage_source": "late",
        "started_at": at,
        "team": "downloading",
    }
    return make_record(**(facts | changes))


def failed_line(name: str = "line-1", **changes: Any) -> Record:
    """A line that failed: nothing was used."""
    facts: dict[str, Any] = {"usage_source": "none", "outcome": "failed", "error_class": "invalid_request"}
    return line(name, usage=Usage(), **(facts | changes))
