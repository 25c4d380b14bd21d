"""Nothing that is private is left anywhere: neither in files, nor in logs, pages, reports, mails or posts."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.source import Source, install
from monitor.clock import system_clock
from monitor.control.store import Control
from monitor.home import Home
from monitor.ledger.ledger import Ledger
from monitor.settings import Settings
from tests.capture.socket_server import SocketServer
from tests.cassettes.server import LoopbackServer
from tests.flow.running import Server, monitor, run
from tests.privacy.answers import REALTIME, RESPONSES, answers
from tests.privacy.canaries import CANARIES, HALF, PATTERN, TAG, UNTOLD, UNTOLD_HALF, files_of, forms, found_in
from tests.receivers import HttpReceiver, MailReceiver, eventually, mail_server

_APP = Path(__file__).parents[2] / "dashboard" / "app.py"
_SECRET = f"whsec_{CANARIES['webhook secret']}" + "A" * (32 - len(CANARIES["webhook secret"]) % 4)
_KEPT = frozenset({"webhook secret", "webhook address"})
"""What the control store has to keep, because without it nothing could be delivered."""

Texts = dict[str, bytes]


@contextmanager
def _receivers(home: Path) -> Iterator[tuple[HttpReceiver, MailReceiver, dict[str, str], Texts]]:
    """Places to deliver to, with secrets of their own, and what the commands said that made them."""
    with HttpReceiver() as web, mail_server(MailReceiver()) as mail:
        more = {
            "MONITOR_SMTP_URL": f"smtp://monitor:{CANARIES['SMTP password']}@127.0.0.1:{mail.port}",
            "MONITOR_SMTP_FROM": "monitor@example.com",
        }
        address = f"{web.url}/alerts?key={CANARIES['webhook address']}"
        commands = {
            "receiver add": ("receiver", "add", "ops", "--webhook", address, "--secret", _SECRET),
            "receiver add email": ("receiver", "add", "team", "--email", "lead@example.com"),
            "budget add": ("budget", "add", "All", "--amount", "0.01", "--notify", "ops", "--notify", "team"),
            "receiver list": ("receiver", "list"),
            "receiver test": ("receiver", "test", "ops"),
            "receiver test email": ("receiver", "test", "team"),
        }
        said: Texts = {}
        for name, words in commands.items():
            ended = monitor(*words, home=home, more=more)
            said[f"output of {name}"] = (ended.out + ended.err).encode()
        yield web, mail, more, said


def _served(home: Path, texts: Texts) -> None:
    """What a server says of it all, over its routes, in its log, and in the alerts that it sends."""
    with _receivers(home) as (web, mail, more, said):
        before = len(web.posted), len(mail.mailed)
        quick = {"MONITOR_BUDGET_INTERVAL": "0.2", "MONITOR_DELIVERY_INTERVAL": "0.2"}
        with Server(home, more={**more, **quick}) as server:
            token = json.loads((home / "server.json").read_text())["token"]
            assert eventually(lambda: len(web.posted) > before[0] and len(mail.mailed) > before[1] - 1)
            for path in ("/", "/api/health", "/api/report?by=model", "/api/report?by=team"):
                texts[path] = server.get(path, token=token).content
            reported = monitor("report", "--json", "--by", "call_site", home=home)
            texts["report of a server"] = (reported.out + reported.err).encode()
            texts["doctor beside a server"] = monitor("doctor", home=home, more=more).out.encode()
            texts["output of the server"] = (server.out + server.err).encode()
        texts.update(said)
        texts["posts"] = b"\n".join(one.body + repr(one.headers).encode() for one in web.posted)
        texts["mails"] = b"\n".join(bytes(one.mail) for one in mail.mailed)


def _shown(home: Path, texts: Texts) -> None:
    """What the pages show."""
    place = Home(home)
    with Ledger.open(place.ledger) as ledger, Control.open(place.control, system_clock) as control:
        settings = Settings(home=home, smtp_url=f"smtp://monitor:{CANARIES['SMTP password']}@127.0.0.1")
        install(Source(ledger=ledger, control=control, clock=system_clock, time_zone="UTC", settings=settings))
        for name in ("overview", "budgets", "quality"):
            page = AppTest.from_file(str(_APP), default_timeout=60).run()
            page = page if name == "overview" else page.switch_page(f"views/{name}.py").run()
            assert not page.exception
            protos = [element.proto for element in page.main if getattr(element, "proto", None) is not None]
            texts[f"page {name}"] = repr(page).encode() + b"".join(proto.SerializeToString() for proto in protos)


def _called(home: Path, more: dict[str, str] | None = None) -> Texts:
    """What a program says and leaves that makes calls of every kind."""
    with (
        LoopbackServer(answers()) as server,
        SocketServer(REALTIME, code=None) as realtime,
        SocketServer(RESPONSES, code=None) as responses,
    ):
        command = ("-m", "tests.privacy.program", server.address, realtime.host, responses.host)
        app = run(*command, home=home, more=more)
        assert (app.status, len(server.asked) > 50) == (0, True), app.err
        assert (len(realtime.heard.messages), len(responses.heard.messages)) == (2, 1)
    texts = {"output of the program": (app.out + app.err).encode()}
    return texts | {f"spool before: {name}": content for name, content in files_of(home)}


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """Every file and every text that is left after programs, a server, commands and pages were at work."""
    directory = tmp_path_factory.mktemp("canaries")
    home = directory / "home"
    texts = _called(home)
    for command in (("report", "--json", "--by", "model"), ("report",), ("doctor",)):
        ended = monitor(*command, home=home)
        texts[f"output of {command}"] = (ended.out + ended.err).encode()
    _served(home, texts)
    _shown(home, texts)
    return texts | dict(files_of(directory))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """The same of programs that keep contents, all secrets taken out; the contents in the ledger by operation."""
    home = tmp_path_factory.mktemp("canaries kept") / "home"
    texts = _called(home, {"MONITOR_CONTENT": "true", "MONITOR_CONTENT_REDACT": PATTERN})
    with Server(home) as server:
        server.wait_for_runs("drain", 2)
        for name in ("chatcmpl-B1", "chatcmpl-1"):
            shown = monitor("show", name, "--json", home=home)
            assert shown.status == 0, shown.err
            texts[f"output of show {name}"] = (shown.out + shown.err).encode()
    with Ledger.open(Home(home).ledger) as ledger, ledger.cursor() as cursor:
        question = """
            select case when is_batch then 'batch' else operation_name || if(is_cut, ' cut', '') end,
                string_agg(concat(request, answer), chr(10))
            from contents join requests using (record_id) group by all
        """
        texts |= {f"contents of {kind}": text.encode() for kind, text in cursor.execute(question).fetchall()}
    return texts | dict(files_of(home))


def test_the_search_finds_a_canary_in_every_form() -> None:
    """Else it would prove nothing."""
    for form in forms(CANARIES["prompt"]):
        assert found_in({"x": b"before" + form + b"after"}) == ["the prompt is in x"]
    assert len(set(CANARIES.values())) == len(CANARIES)


def test_the_program_did_all_that_and_was_recorded(left: Mapping[str, bytes]) -> None:
    """Its tags, which are meant to be kept, are in the ledger."""
    assert b'"kind":"end"' in b"".join(left.values())
    assert TAG.encode() in left["home/ledger.duckdb"]


@pytest.mark.parametrize("place", sorted(set(CANARIES) - _KEPT))
def test_a_secret_is_nowhere(left: Mapping[str, bytes], place: str) -> None:
    """In no file, no log, no page, no report, no mail and no post; in no writing of it."""
    assert found_in(left, {place: CANARIES[place]}) == []


@pytest.mark.parametrize("place", sorted(set(CANARIES) - _KEPT))
def test_a_secret_is_nowhere_though_contents_are_kept(kept: Mapping[str, bytes], place: str) -> None:
    """What the settings say is taken out of all of them, of a batch's lines and of answers that broke off too."""
    assert found_in(kept, {place: CANARIES[place]}) == []


@pytest.mark.parametrize("place", sorted(UNTOLD))
def test_a_secret_that_nobody_named_is_nowhere(
    kept: Mapping[str, bytes], left: Mapping[str, bytes], place: str
) -> None:
    """It is taken out by what it looks like, by the name of its member, or because the request itself has it."""
    assert found_in(kept, {place: UNTOLD[place]}) == []
    assert found_in(left, {place: UNTOLD[place]}) == []


def test_what_nobody_named_was_there(kept: Mapping[str, bytes]) -> None:
    """Around it all is kept, in plain answers, streams, batches and on sockets."""
    chats, cut = kept["contents of chat"], kept["contents of chat cut"]
    assert b'"content":"[redacted] for [redacted] and [redacted]"' in chats
    assert b'"content":"[redacted] [redacted] for [redacted] "' in chats
    assert b'"server_url":"https://[redacted]@mcp.example/x?t=[redacted]"' in chats
    assert b'"reasoning_details":[{"type":"reasoning.text","text":"[redacted]"}]' in chats
    assert rb"{\"password\":\"[redacted]\",\"x\":\"[redacted]\"}" in chats
    assert b'"refusal":"Not for [redacted]"' in kept["contents of batch"]
    for torn in (cut, kept["contents of realtime cut"]):
        assert b"Yours is [redacted], with" in torn
    assert b'"content":"You said"' in cut
    assert found_in(kept, {"half": UNTOLD_HALF}) == []


def test_what_was_taken_out_was_there(kept: Mapping[str, bytes]) -> None:
    """Else it would prove nothing: around the secrets all is kept, and of half a secret nothing is."""
    assert b"It is [redacted]." in kept["contents of batch"]
    assert b'"message":"Not [redacted]"' in kept["contents of batch"]
    assert b'"delta":"It is [redacted] I said"' in kept["contents of realtime cut"]
    assert b'"delta":"It is [redacted] I said"' in kept["contents of chat cut"]
    assert found_in(kept, {"half": HALF}) == []


@pytest.mark.parametrize("place", sorted(_KEPT))
def test_what_must_be_kept_is_in_the_control_store_only(left: Mapping[str, bytes], place: str) -> None:
    """A file of mode 0600."""
    found = found_in(left, {place: CANARIES[place]})

    assert [one for one in found if "control.sqlite" not in one] == []


def test_tags_stay_out_of_logs(left: Mapping[str, bytes]) -> None:
    """They are for the ledger."""
    logs = {name: content for name, content in left.items() if name.startswith("output of")}

    assert found_in(logs, {"tag": TAG}) == []


def test_the_search_reads_what_other_tests_left(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keys that the tests use are in none of the data directories that they made."""
    spools = tmp_path_factory.getbasetemp().rglob("*.ndjson")
    left = {str(path): path.read_bytes() for path in spools if "canaries" not in path.parts[-4:]}
    # Some tests ask for contents to be kept, which is where the question belongs.
    records = {name: content for name, content in left.items() if "/content/" not in name}

    assert found_in(left, {"key of the tests": "sk-proj-tests-of-capture-0123456789"}) == []
    assert found_in(records, {"question of the tests": "the capital of France"}) == []
