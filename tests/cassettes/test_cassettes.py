"""Recorded traffic of the real API, replayed through wrapped clients: what the ledger says of it is true."""

import sys
from collections import Counter

import pytest

from tests.cassettes.campaign import Campaign, run_campaign
from tests.cassettes.compare import USAGE, WORKS, Stored, is_unfinished, shows_unasked_usage
from tests.cassettes.costs import costs_of
from tests.cassettes.material import FOLDER, Row, read_rows
from tests.world import price_book

pytestmark = [
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the recorded interactions are not in ../shared/data/cassettes"),
    # Old endpoints and models are part of the material; the SDK warns of them.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

_EXPLAINED_ROWS = 9
# One of them by chance: of two that are made again at the same time, that which begins the session of their container
# pays for it, and only one of them says how much memory it has.
_UNPRICED_ROWS = 39


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return run_campaign(read_rows(), tmp_path_factory.mktemp("cassettes") / "home")


def _row(campaign: Campaign, found: str) -> Row:
    return next(row for row in campaign.rows if row.id == found)


def test_every_interaction_is_recorded_once(campaign: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
    """Each of the interactions has one row in the ledger, whatever it was, and no line of the spool was damaged."""
    with capsys.disabled():
        sys.stdout.write(f"\n{campaign.table()}\n")

    counts = Counter({row.id: len(campaign.stored.get(row.id, [])) for row in campaign.rows})

    assert [found for found, count in counts.items() if count != 1] == []
    assert campaign.quarantined == 0


def test_the_recorder_met_no_fault_of_its_own(campaign: Campaign) -> None:
    """Nothing that the real API has ever answered makes the recorder stumble."""
    assert campaign.faults == 0


def test_the_ledger_says_what_was_recorded(campaign: Campaign) -> None:
    """Models, usage, outcome, tier, ids, limits and waits of every request are those of the recording."""
    lines = [f"{m.row.id} {m.row.kind} {m.field}: {m.expected!r}, not {m.stored!r}" for m in campaign.unexplained]

    assert lines == []


def test_each_work_counts_once(campaign: Campaign) -> None:
    """Of all that is asked about a run or a batch, one row or the lines of its file count, as it was recorded."""
    stated: dict[str, list[int]] = {}
    counted: dict[str, list[Stored]] = {}
    for row in campaign.rows:
        work = row.expected["response_id"]
        if row.kind in WORKS and work:
            counted.setdefault(work, []).extend(_counting(campaign, row))
            if row.expected["has_usage"] and not is_unfinished(row):
                stated[work] = [row.expected[name] or 0 for name in USAGE.values()]
    sums = {work: [sum(stored[name] or 0 for stored in rows) for name in USAGE] for work, rows in counted.items()}

    assert len(stated) > 20
    assert {work: used for work, used in sums.items() if counted[work]} == stated


def _counting(campaign: Campaign, row: Row) -> list[Stored]:
    """What counts of an answer about a work: its row, or for a batch that has ended the lines of its file."""
    rows = [stored for stored in campaign.stored[row.id] if stored["usage_source"] == "response"]
    if row.method == "GET":
        for stored in campaign.stored[row.id]:
            rows += [line for line in campaign.lines.get(stored["file_id"], []) if line["usage_source"] == "response"]
    return rows


def test_few_rows_need_an_explanation(campaign: Campaign) -> None:
    """The differences that the table explains are counted, so that no new one hides among them."""
    assert len(campaign.explained_rows) == _EXPLAINED_ROWS


def test_the_callers_get_what_they_would_get_unwatched(campaign: Campaign) -> None:
    """Values, chunks and exceptions are the same with and without the wrapper."""
    differing = [
        found
        for found, told in campaign.plain.items()
        if told != campaign.watched[found] and not shows_unasked_usage(_row(campaign, found))
    ]

    assert differing == []


def test_usage_that_nobody_asked_for_is_the_only_thing_hidden(campaign: Campaign) -> None:
    """Where a server tells the usage unasked, the caller misses just that: each choice and text is still there."""
    rows = [row for row in campaign.rows if shows_unasked_usage(row)]

    for row in rows:
        assert _without_usage(campaign.watched[row.id].value) == _without_usage(campaign.plain[row.id].value), row.id


def _without_usage(chunks: object) -> list[object]:
    assert isinstance(chunks, list)
    kept: list[object] = []
    for kind, chunk in chunks:
        is_usage_chunk = not chunk["choices"] and chunk.get("usage")
        if not is_usage_chunk:
            kept.append((kind, {name: value for name, value in chunk.items() if (name, value) != ("usage", None)}))
    return kept


def test_every_outcome_is_told(campaign: Campaign) -> None:
    """A request is completed or failed as its status and body say; only streams that broke off are interrupted."""
    wrong = []
    for row in campaign.rows:
        outcome = campaign.stored[row.id][0]["outcome"]
        is_error = row.status >= 400 or bool(row.expected["error_code"] or row.expected["error_type"]) or _is_lost(row)
        wanted = {"failed"} if is_error else {"completed", "interrupted"} if row.is_event_stream else {"completed"}
        if outcome not in wanted:
            wrong.append((row.id, row.kind, outcome))

    assert wrong == []
    interrupted = sum(requests[0]["outcome"] == "interrupted" for requests in campaign.stored.values())
    assert interrupted == len([row for row in campaign.rows if _is_broken_off(row)])


def _is_lost(row: Row) -> bool:
    """Whether it was recorded without its body: no client can read that as JSON."""
    return not row.response_body and row.response_headers.get("content-type", "") == "application/json"


def _is_broken_off(row: Row) -> bool:
    """A stream without an end of any kind, or one that is called JSON and was not asked for."""
    is_mislabelled = row.response_headers.get("content-type") == "application/json"
    return row.is_event_stream and (not row.response_body or (is_mislabelled and not row.expected["request_stream"]))


def test_every_interaction_that_states_usage_has_a_cost_or_a_reason(
    campaign: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hardly any has none, and what each of these lacks has a name; a new one fails here."""
    costs = costs_of(campaign, price_book())
    with capsys.disabled():
        sys.stdout.write(f"\n{costs.table()}\n")

    assert costs.nameless == ()
    assert costs.states.keys() <= {"priced", "repeated", "pending", "unpriced", "free"}
    assert sum(costs.reasons.values()) <= _UNPRICED_ROWS
