"""How two records are known to be of the same request, and which of them stays. SQL."""

from datetime import timedelta
from typing import Final

from monitor.ledger.works import has_usage, is_line, is_origin
from monitor.records import CLIENT, IMPORT, SOURCES

OTHERS: Final = tuple(name for name in SOURCES if name != CLIENT)
"""The sources whose records give way. A source that this program does not know is never taken for another's."""

LIVE_REACH: Final = timedelta(minutes=15)
FAR_REACH: Final = timedelta(days=1)
_SHORT_REACH: Final = timedelta(minutes=1)
"""How far apart in time two records of one request may be. Live sources differ by their clocks, or tell the end of a
long stream in place of its start; imported times may lack their zone. An id that nobody else can have is enough within
a day. Short ids come again soon: some servers draw one of 999."""

LONG: Final = 20
"""Characters from which a response id is taken to be the only one of its kind: `chatcmpl-` and a number is shorter."""

UNIQUE: Final = 28
"""Characters from which it is long enough to be drawn by chance: the providers' have 28 to 53."""
_COUNTED: Final = "00000000"
"""What an id has in it whose server fills its counter up with zeros: by chance one of many millions."""

_STATED: Final = ("response", "imported", "estimated", "repeated")
_RESPONSE: Final = "response"
_SHORT: Final = "short"
_REQUEST: Final = "request"


def listed(names: tuple[str, ...]) -> str:
    """SQL: a list of texts for `in`. With that, unlike with `<>`, DuckDB passes over parts of a table without them."""
    return f"({_quoted(names)})"


def id_of(row: str) -> str:
    """SQL: the id by which other sightings of the request are looked for. `row` is the alias of rows of `requests`."""
    return f"coalesce({row}.response_id, {row}.request_id)"


def key_of(row: str) -> str:
    """SQL: equal in all sightings of one request; null where it cannot be told.

    Later answers about a work have its response id too, but cost by themselves or not at all: `late.py` decides. What
    has no response id (embeddings, failures) has the id of the exchange. That may be shared by several exchanges of one
    task, so more must be equal.
    """
    short = (
        f"'{_SHORT}', {row}.response_id, {row}.provider_name, coalesce({row}.model, ''),"
        f" coalesce({row}.input_tokens, -1), coalesce({row}.output_tokens, -1)"
    )
    request = (
        f"'{_REQUEST}', {row}.request_id, {row}.method, {row}.endpoint,"
        f" coalesce({row}.status, -1), coalesce({row}.request_model, '')"
    )
    return f"""
        case
            when {row}.usage_source = 'late' or {is_line(row)} then null
            when {_caused(row)} and length({row}.response_id) >= {LONG} then '{_RESPONSE}/' || {row}.response_id
            when {_caused(row)} then concat_ws('/', {short})
            when {row}.response_id is null and {row}.request_id is not null then concat_ws('/', {request})
        end
    """


def _caused(row: str) -> str:
    """SQL: what the answer is about was caused by this very request, be it free or not."""
    makes = f"{row}.method = 'POST' and not contains({row}.endpoint, '{{id}}')"
    return f"({row}.response_id is not null and ({is_origin(row)} or {makes}))"


def matched_by(row: str) -> str:
    """SQL: the kind of id by which rows with a `key` are matched."""
    return f"case when starts_with({row}.key, '{_REQUEST}/') then 'request_id' else 'response_id' end"


def is_certain(row: str) -> str:
    """SQL: two records of one source with this `key` are of one request too."""
    return f"starts_with({row}.key, '{_RESPONSE}/')"


def _is_unique(row: str) -> str:
    """SQL: no other request, of whatever server, has the id in this `key`."""
    shortest = len(f"{_RESPONSE}/") + UNIQUE
    return f"({is_certain(row)} and length({row}.key) >= {shortest} and not contains({row}.key, '{_COUNTED}'))"


def reach_of(row: str) -> str:
    """SQL: how far from this row in time its other sighting may be; of the two, this is the one that gives way."""
    return f"""
        case
            when starts_with({row}.key, '{_SHORT}/') then {_interval(_SHORT_REACH)}
            when {row}.source = '{IMPORT}' or {_is_unique(row)} then {_interval(FAR_REACH)}
            else {_interval(LIVE_REACH)}
        end
    """


def rank_of(row: str) -> str:
    """SQL: the less, the nearer to the program its source is, which knows teams, users and places in the code."""
    return f"list_position([{_quoted(SOURCES)}], {row}.source)"


def usage_rank_of(row: str) -> str:
    """SQL: the less, the better the usage is known."""
    unknown = len(_STATED) + 1
    position = f"coalesce(list_position([{_quoted(_STATED)}], {row}.usage_source), {unknown})"
    return f"case when {has_usage(row)} then {position} else {unknown} end"


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _interval(span: timedelta) -> str:
    return f"interval {int(span.total_seconds())} second"
