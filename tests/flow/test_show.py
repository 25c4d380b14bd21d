"""`monitor show` beside a running server: contents come through it, to whoever may read its token."""

import json
from pathlib import Path

from monitor.capture.contents import ContentWriter
from monitor.health import Health
from monitor.home import Home
from monitor.records import Content
from tests.cli.commands import spooled
from tests.factories import NOW, make_record
from tests.flow.running import Server, monitor


def test_a_request_is_shown_by_the_running_server(tmp_path: Path) -> None:
    """With the content that a program has just written; not without the token."""
    record = make_record(response_id="resp_1")
    home = spooled(tmp_path, record)
    with Server(home) as server:
        writer = ContentWriter(Home(home), segment_size=2**25, health=Health())
        writer.write(Content(record_id=record.record_id, started_at=NOW, request="asked", answer="answered"))
        shown = monitor("show", "resp_1", "--json", home=home)
        nothing = monitor("show", "resp_2", home=home)
        refused = server.get("/api/show?id=resp_1")
        jobs = server.health()["jobs"]
    (row,) = json.loads(shown.out)

    assert (row["record_id"], row["content"]["answer"]) == (record.record_id, "answered")
    assert (nothing.status, "No request with the id 'resp_2'" in nothing.err) == (2, True)
    assert (refused.status_code, "answered" in refused.text) == (401, False)
    assert jobs["drain"]["faults"] == 0
