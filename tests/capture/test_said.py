import json

from monitor.capture.said import Said


def test_little_is_held_of_what_is_said() -> None:
    """A program that writes and never asks fills no memory; that something is missing is told."""
    heard = Said()
    for number in range(300):
        heard.add(json.dumps({"number": number}))
    first, *others = json.loads(heard.take() or b"")
    assert (first, others[0], len(others)) == ("[44 earlier messages, too many to keep]", {"number": 44}, 256)

    for letter in "abc":
        heard.add(json.dumps({"text": letter * 600_000}).encode())
    first, *others = json.loads(heard.take() or b"")
    assert (first, others) == ("[2 earlier messages, too many to keep]", [{"text": "c" * 600_000}])
    assert heard.take() is None
