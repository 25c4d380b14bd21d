"""The price list is refreshed, from a download where that is allowed."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from genai_prices.data_snapshot import get_snapshot, set_custom_snapshot

from monitor.errors import PricingError
from monitor.jobs.prices import refresh_price_list
from monitor.pricing.installed import installed_price_book

_LIST = [
    {
        "id": "openai",
        "name": "OpenAI",
        "api_pattern": "openai",
        "models": [{"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 3}}],
    }
]


@contextmanager
def _serving(body: bytes, status: int = 200) -> Iterator[str]:
    """The address of a server of our own that answers with this."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/data.json"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def _own_snapshot() -> Iterator[None]:
    """The data of this process are again what they were."""
    yield
    set_custom_snapshot(None)


def test_nothing_is_downloaded_unless_it_may_be() -> None:
    """The address is not even asked."""
    assert refresh_price_list(lambda: 7, may_download=False, url="http://127.0.0.1:9/") == 7


def test_downloaded_prices_hold() -> None:
    """They are taken up at once, and the list says when they were had."""
    names: list[str] = []

    def take_up() -> int:
        book = installed_price_book()
        names.append(book.version)
        return len(book.match("openai", "m").entries)

    with _serving(json.dumps(_LIST).encode()) as url:
        assert refresh_price_list(take_up, may_download=True, url=url) > 0
    assert "updated" in names[0]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"gone", 404),
        (b"moved", 302),
        (b"{", 200),
        (b'{"a": 1}', 200),
        (b"[]", 200),
        (b'[{"id": "openai"}]', 200),
        (b'[{"id": "openai", "name": "OpenAI", "api_pattern": "o", "models": []}]', 200),
    ],
)
def test_what_is_no_price_list_changes_nothing(body: bytes, status: int) -> None:
    """It is told as a fault of the job, and nothing is taken up."""
    before = get_snapshot()
    with _serving(body, status) as url, pytest.raises(PricingError, match=r"stay"):
        refresh_price_list(_never, may_download=True, url=url)

    assert get_snapshot() is before


def test_without_a_network_the_prices_stay() -> None:
    """Nobody listens there."""
    with _serving(b"") as url:
        pass
    with pytest.raises(PricingError, match="MONITOR_PRICE_DOWNLOAD=false"):
        refresh_price_list(_never, may_download=True, url=url)


def _never() -> int:
    raise AssertionError
