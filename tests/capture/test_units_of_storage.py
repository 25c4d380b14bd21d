"""What answers about vector stores tell: their sizes, and nothing where a body is odd."""

from typing import Any

import pytest

from tests.capture.told_units import told_by

_GIB = 2**30
_PLACES = (
    "POST /vector_stores",
    "GET /vector_stores/vs_1",
    "POST /vector_stores/vs_1",
)


def _store(name: str = "vs_1", **changes: Any) -> dict[str, Any]:
    return {"id": name, "object": "vector_store", "usage_bytes": _GIB, "status": "completed"} | changes


@pytest.mark.parametrize("place", _PLACES)
def test_a_store_tells_its_size_and_its_end(place: str) -> None:
    """Whichever answer it stands in."""
    assert told_by(place, _store(expires_at=1_795_773_600)) == {
        "stored_bytes": {"vs_1": _GIB},
        "stored_until": {"vs_1": 1_795_773_600},
    }


def test_a_page_tells_the_size_of_each() -> None:
    """Of a hundred at most; what is no store is passed over."""
    page = [_store(f"vs_{number}", usage_bytes=number) for number in range(150)]
    found = told_by("GET /vector_stores", {"object": "list", "data": [None, "x", *page], "has_more": True})

    assert found == {"stored_bytes": {f"vs_{number}": number for number in range(98)}}


@pytest.mark.parametrize(
    ("place", "body"),
    [
        ("DELETE /vector_stores/vs_1", {"id": "vs_1", "object": "vector_store.deleted", "deleted": True}),
        ("GET /vector_stores/vs_1", _store(status="expired", expires_at=1_795_773_600)),
        ("POST /vector_stores", _store(usage_bytes=0, status="in_progress", expires_at=1_795_773_600)),
    ],
)
def test_what_is_gone_or_empty_holds_nothing(place: str, body: object) -> None:
    """Zero is told, which is not the same as nothing said; and nothing of it ends."""
    assert told_by(place, body) == {"stored_bytes": {"vs_1": 0}}


@pytest.mark.parametrize("place", [*_PLACES, "GET /vector_stores", "DELETE /vector_stores/vs_1"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b'{"data": {"id": "vs_1"}}',
        {"id": "vs_1", "object": "vector_store.deleted", "deleted": False},
        {"data": None},
        {"data": [[], 1, {"id": {}}, {"id": "vs_1"}]},
        _store(usage_bytes="many"),
        _store(usage_bytes=True),
        _store(usage_bytes=-1),
        _store(usage_bytes=1.5),
        _store(usage_bytes=2**70),
        _store(usage_bytes=None),
        {"usage_bytes": 5},
        _store(name=""),
    ],
)
def test_an_odd_body_tells_nothing(place: str, body: object) -> None:
    """And costs nobody his answer."""
    assert told_by(place, body) == {}


@pytest.mark.parametrize("end", [None, "soon", -1, True, 1.5, 2**62, []])
def test_an_odd_end_costs_only_itself(end: object) -> None:
    """The size counts."""
    assert told_by("GET /vector_stores/vs_1", _store(expires_at=end)) == {"stored_bytes": {"vs_1": _GIB}}


def test_a_refusal_tells_nothing() -> None:
    """Whatever stands in it."""
    assert told_by("GET /vector_stores/vs_1", _store(), {"status": 404}) == {}


@pytest.mark.parametrize(
    "place",
    [
        "POST /vector_stores/vs_1/search",
        "GET /vector_stores/vs_1/files",
        "GET /vector_stores/vs_1/files/file-1",
        "POST /vector_stores/vs_1/file_batches",
    ],
)
def test_parts_of_a_store_say_nothing_of_its_size(place: str) -> None:
    """A file in it has a size of its own."""
    assert told_by(place, {"id": "file-1", "usage_bytes": 5, "vector_store_id": "vs_1"}) == {}
