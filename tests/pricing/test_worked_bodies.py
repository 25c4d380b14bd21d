"""From the bodies of a request and its answer to what it costs: captured, drained and priced as in a program."""

from decimal import Decimal

import httpx2
import msgspec
import pytest
from openai import DefaultHttpxClient, OpenAI
from openai._types import RequestOptions

import monitor
from monitor.records import Record
from monitor.settings import Settings
from tests.capture.world import World as Capture
from tests.factories import NOW
from tests.pricing.worked_bodies import WORKED, Worked
from tests.world import World

_MARK = "x-worked"


def _answer(request: httpx2.Request) -> httpx2.Response:
    found = WORKED[request.headers[_MARK]].answered
    if isinstance(found, bytes):
        return httpx2.Response(200, content=found, headers={"content-type": "audio/mpeg"})
    return httpx2.Response(200, json=found)


def _ask(settings: Settings, name: str, worked: Worked) -> None:
    transport = httpx2.MockTransport(_answer)
    with OpenAI(
        api_key="sk-x",
        base_url=f"https://{worked.host}/v1",
        max_retries=0,
        http_client=DefaultHttpxClient(transport=transport, verify=False),
    ) as client:
        monitor.wrap(client, settings=settings)
        headers = {_MARK: name, **({"Content-Type": "multipart/form-data"} if worked.is_form else {})}
        options: RequestOptions = {"headers": headers}
        with monitor.tag(worked=name):
            if worked.method == "GET":
                client.get(worked.place, cast_to=object, options=options)
            elif worked.is_form:
                files = {"file": ("a.mp3", b"\0", "audio/mpeg")}
                client.post(worked.place, cast_to=object, body=worked.asked, files=files, options=options)
            else:
                client.post(worked.place, cast_to=object, body=worked.asked, options=options)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Decimal | None]]:
    """State and cost of each example, as if it had been asked at the time of the other tests."""
    capture = Capture(tmp_path_factory.mktemp("capture"))
    for name, worked in WORKED.items():
        _ask(capture.settings, name, worked)
    facts = [{key: line[key] for key in line if key in Record.__struct_fields__} for line in capture.ends()]
    records = [msgspec.convert({"call_id": fact["record_id"], **fact}, Record, strict=False) for fact in facts]
    with World(tmp_path_factory.mktemp("worked")) as world:
        world.store(*(msgspec.structs.replace(record, started_at=NOW) for record in records))
        found = world.rows("select tags['worked'], pricing_state, list_cost from requests")
    assert len(found) == len(WORKED)
    return {name: (state, cost) for name, state, cost in found}


@pytest.mark.parametrize("name", WORKED)
def test_a_request_costs_what_was_worked_out(rows: dict[str, tuple[str, Decimal | None]], name: str) -> None:
    """To the last digit, from what was sent and answered."""
    assert rows[name] == ("priced", Decimal(WORKED[name].usd))
