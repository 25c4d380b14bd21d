"""Headers of an answer: limits, waits, ids."""

import email.utils
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.headers import Facts, read_headers


def _read(**headers: str) -> Facts:
    return _facts_of([(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()])


def _facts_of(raw: list[tuple[bytes, bytes]]) -> Facts:
    facts: Facts = {}
    read_headers(raw, facts)
    return facts


def test_an_ordinary_answer_is_read() -> None:
    """Every field of the record, and how the body is written."""
    raw = [
        (b"Content-Type", b"application/json"),
        (b"content-encoding", b"gzip"),
        (b"openai-organization", b"acme"),
        (b"openai-project", b"proj_1"),
        (b"openai-processing-ms", b"412"),
        (b"X-Request-ID", b"req_1"),
        (b"x-ratelimit-limit-requests", b"5000"),
        (b"x-ratelimit-remaining-requests", b"4999"),
        (b"x-ratelimit-reset-requests", b"12ms"),
        (b"x-ratelimit-limit-tokens", b"800000"),
        (b"x-ratelimit-remaining-tokens", b"799123"),
        (b"x-ratelimit-reset-tokens", b"6m0s"),
        (b"set-cookie", b"__cf_bm=secret"),
        (b"cf-ray", b"8f-FRA"),
    ]

    facts: Facts = {}

    assert read_headers(raw, facts) == ("application/json", "gzip")
    assert facts == {
        "billing_account_id": "acme",
        "sub_account_id": "proj_1",
        "server_duration": 0.412,
        "request_id": "req_1",
        "requests_limit": 5000,
        "requests_remaining": 4999,
        "requests_reset": 0.012,
        "tokens_limit": 800000,
        "tokens_remaining": 799123,
        "tokens_reset": 360.0,
    }


def test_no_headers_say_nothing() -> None:
    """Nothing is made up."""
    facts: Facts = {}

    assert (read_headers([], facts), facts) == (("", None), {})


def test_the_id_of_openai_wins_over_that_of_azure() -> None:
    """In whatever order they come; the gateway's own id is better than none."""
    assert _read(apim_request_id="a", x_request_id="x") == {"request_id": "x"}
    assert _read(x_request_id="x", apim_request_id="a") == {"request_id": "x"}
    assert _read(apim_request_id="a") == {"request_id": "a"}


def test_every_other_limit_is_kept_by_its_name() -> None:
    """Whatever kind of limit a server has."""
    found = _read(
        x_ratelimit_limit_project_tokens="900",
        x_ratelimit_remaining_project_tokens="0",
        x_ratelimit_reset_project_tokens="1m12s",
        x_ratelimit_remaining_tokens_usage_based="249",
        x_ratelimit_renewalperiod_tokens="60",
        x_ratelimit_key="gpt-5-nano",
        x_ratelimit_abusepenalty_active="False",
        x_ratelimit_limit_images="",
        azure_openai_deployment_utilization="57.2%",
    )

    assert found == {
        "other_limits": {
            "limit-project-tokens": 900.0,
            "remaining-project-tokens": 0.0,
            "reset-project-tokens": 72.0,
            "remaining-tokens-usage-based": 249.0,
            "renewalperiod-tokens": 60.0,
            "deployment-utilization": 57.2,
        }
    }


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("5000", 5000),
        ("0", 0),
        ("-1", -1),
        ("60.000000", 60),
        (" 7 ", 7),
        ("179999991", 179999991),
        ("", None),
        ("REDACTED", None),
        ("1e9", 1_000_000_000),
        ("1,000", 1000),
        ("1e40", None),
        ("1_000", None),
        ("9" * 15, 999_999_999_999_999),
        ("9" * 16, None),
        ("9" * 5000, None),
        ("²", None),
    ],
)
def test_a_count_is_a_whole_number(text: str, count: int | None) -> None:
    """Zero is told, a masked value is unknown."""
    assert _read(x_ratelimit_remaining_requests=text).get("requests_remaining") == count


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("0s", 0.0),
        ("120ms", 0.12),
        ("6m0s", 360.0),
        ("1m30.951s", 90.951),
        ("114h18m0s", 411480.0),
        ("1m 30s", 90.0),
        ("12us", 0.000012),
        ("99999999", None),
        ("9999999999", None),
        ("7", 7.0),
        ("0", 0.0),
        ("-1", None),
        ("", None),
        ("soon", None),
        ("9" * 400 + "s", None),
        ("2015-10-21T07:28:00Z", 0.0),
        ("2015-10-21T07:28:00", None),
    ],
)
def test_a_reset_is_in_seconds(text: str, seconds: float | None) -> None:
    """In every form that was seen; a moment that is past is no wait."""
    assert _read(x_ratelimit_reset_tokens=text).get("tokens_reset") == seconds


def test_a_reset_may_be_a_moment() -> None:
    """As some servers write it."""
    soon = datetime.now(UTC) + timedelta(seconds=60)

    assert 50 < _read(x_ratelimit_reset_requests=soon.isoformat())["requests_reset"] <= 60
    found = _read(x_ratelimit_reset_project_tokens=soon.isoformat())["other_limits"]["reset-project-tokens"]
    assert 50 < found <= 60


def test_a_moment_comes_nearer() -> None:
    """In seconds or milliseconds since 1970, and never remembered as a wait."""
    soon = int(datetime.now(UTC).timestamp()) + 60

    for text in (str(soon), str(soon * 1000)):
        assert 50 < _read(x_ratelimit_reset_tokens=text)["tokens_reset"] <= 60
        assert 50 < _read(retry_after=text)["retry_after"] <= 60
        assert 50 < _read(x_ratelimit_reset_images=text)["other_limits"]["reset-images"] <= 60


def test_a_letter_that_headers_cannot_hold_is_read() -> None:
    """A server writes millionths of a second in UTF-8."""
    assert _facts_of([(b"x-ratelimit-reset-tokens", "500µs".encode())]) == {"tokens_reset": 0.0005}


def test_limits_without_a_unit_are_of_requests() -> None:
    """Unless the answer has others that say so themselves, in whatever order they come."""
    plain = {"x_ratelimit_limit": "50", "x_ratelimit_remaining": "49", "x_ratelimit_reset": "10"}
    named = {"x_ratelimit_limit_requests": "5000", "x_ratelimit_remaining_requests": "4999"}

    assert _read(**plain) == {"requests_limit": 50, "requests_remaining": 49, "requests_reset": 10.0}
    expected = {"requests_limit": 5000, "requests_remaining": 4999, "requests_reset": 10.0}
    assert _read(**plain, **named) == _read(**named, **plain) == expected


@pytest.mark.parametrize(
    ("limit", "count"),
    [("100", 100), ("100;w=60", 100), ("100, 100;w=60", 100), ("100,100;w=60,9;w=1", 100), (";", None)],
)
def test_limits_as_the_draft_of_the_ietf_has_them(limit: str, count: int | None) -> None:
    """Without an x, and the rule behind the number."""
    facts = _read(RateLimit_Limit=limit, ratelimit_remaining="50", ratelimit_reset="30", ratelimit_policy="100;w=60")

    assert facts.pop("requests_limit", None) == count
    assert facts == {"requests_remaining": 50, "requests_reset": 30.0}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({"retry_after": "9", "retry_after_ms": "1500"}, 1.5),
        ({"retry_after": "9"}, 9.0),
        ({"retry_after": "0"}, 0.0),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": ""}, None),
        ({"retry_after_ms": "x", "retry_after": "3"}, 3.0),
        ({"retry_after_ms": "-1", "retry_after": "3"}, 3.0),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({}, None),
    ],
)
def test_the_wait_of_a_refusal_is_read(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds win over seconds; what is neither is unknown."""
    assert _read(**headers).get("retry_after") == seconds


def test_a_date_to_wait_for_is_read() -> None:
    """As HTTP writes dates."""
    soon = datetime.now(UTC) + timedelta(seconds=60)

    assert 50 < _read(retry_after=email.utils.format_datetime(soon, usegmt=True))["retry_after"] <= 60


_names = st.sampled_from(
    [
        b"retry-after",
        b"Retry-After-MS",
        b"x-ratelimit-limit-requests",
        b"X-RateLimit-Reset-Tokens",
        b"x-ratelimit-reset-x",
        b"x-ratelimit-",
        b"azure-openai-deployment-utilization",
        b"openai-processing-ms",
        b"x-request-id",
        b"content-type",
    ]
)
_digits = st.text("0123456789.-+:TZ%smhd, GMTNov", max_size=40).map(str.encode)


@given(raw=st.lists(st.tuples(_names | st.binary(max_size=30), _digits | st.binary(max_size=40)), max_size=30))
def test_any_headers_can_be_read(raw: list[tuple[bytes, bytes]]) -> None:
    """Whatever a server writes, nothing is raised, and numbers are finite."""
    facts: Facts = {}
    content_type, encoding = read_headers(raw, facts)

    assert isinstance(content_type, str)
    assert encoding is None or encoding
    numbers = [value for value in facts.values() if isinstance(value, int | float)]
    assert all(abs(number) < 10**15 for number in [*numbers, *facts.get("other_limits", {}).values()])


def test_many_names_are_not_all_remembered() -> None:
    """A server that makes up names fills no memory, and names it made up are read as before."""
    raw = [(b"x-ratelimit-limit-%d" % number, b"7") for number in range(2_000)]

    assert len(_facts_of(raw)["other_limits"]) == 2_000
    assert _facts_of(raw[-1:]) == {"other_limits": {"limit-1999": 7.0}}
