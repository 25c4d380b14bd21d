"""Who made a call: call site, tags, key; and what is never kept."""

import asyncio
import contextvars
import functools
import inspect
import json
import threading
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

import monitor
from monitor.capture.keys import KeyNames
from tests.capture.world import (
    EVENTS,
    KEY,
    MESSAGES,
    World,
    always,
    async_client,
    chunks,
    events,
    json_answer,
    like_openai,
    new_client,
    opened,
)
from tests.cassettes.server import Answer, LoopbackServer


def _ask(client: Any, **named: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o", messages=MESSAGES, **named)


def test_the_call_site_is_the_programs_own_line(world: World) -> None:
    """File and line are those of the call, relative to the working directory; the function is named."""
    with opened(like_openai, world) as client:
        line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]  # CPython has frames
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    end = world.end()
    assert end["call_site"].endswith(f"tests/capture/test_attribution.py:{line}")
    assert not end["call_site"].startswith("/")
    assert end["call_function"] == f"{__name__}.test_the_call_site_is_the_programs_own_line"


def test_the_call_site_of_an_async_call_is_the_awaiting_line(world: World) -> None:
    """Inside a coroutine the line that awaits the call is named."""

    async def run(server: LoopbackServer) -> None:
        async with async_client(server, world) as client:
            await _ask(client)

    with LoopbackServer(like_openai) as server:
        asyncio.run(run(server))

    assert "tests/capture/test_attribution.py:" in world.end()["call_site"]


def test_tags_go_to_columns_and_map(world: World) -> None:
    """Four names have columns, all others stand in the map; values become text."""
    with opened(like_openai, world) as client, monitor.tag(team="search", feature="ask", user=17, session="s", build=3):
        _ask(client)

    end = world.end()
    assert (end["team"], end["feature"], end["user"], end["session"]) == ("search", "ask", "17", "s")
    assert end["tags"] == {"build": "3"}


def test_inner_tags_win_and_end(world: World) -> None:
    """Tags nest: the inner one holds inside, None takes one away, and outside all is as before."""
    with opened(like_openai, world) as client:
        with monitor.tag(team="outer", feature="f"):
            with monitor.tag(team="inner", feature=None):
                _ask(client)
            _ask(client)
        _ask(client)

    assert [(end.get("team"), end.get("feature")) for end in world.ends()] == [
        ("inner", None),
        ("outer", "f"),
        (None, None),
    ]


def test_tags_of_the_client_are_the_weakest(world: World) -> None:
    """What `wrap` was given holds for every call that is not tagged otherwise."""
    with opened(like_openai) as client:
        world.wrap(client, tags={"team": "default", "region": "eu"}, service="shop", environment="test")
        with monitor.tag(team="search"):
            _ask(client)
        _ask(client)

    first, second = world.ends()
    assert (first["team"], second["team"]) == ("search", "default")
    assert first["tags"] == second["tags"] == {"region": "eu"}
    assert (first["service"], first["environment"]) == ("shop", "test")


def test_a_tag_that_is_no_text_is_stored_all_the_same(world: World) -> None:
    """Names of files and variables may hold bytes that are no text; that costs the byte, not the record."""
    with opened(like_openai) as client:
        world.wrap(client, tags={"path": b"caf\xe9.txt".decode("utf-8", "surrogateescape")}, service="shop\udce9")
        with monitor.tag(team="\ud800", note="a\x00b\n"):
            _ask(client)

    end = world.end()
    assert (end["team"], end["service"], end["tags"]) == ("?", "shop?", {"path": "caf?.txt", "note": "a\x00b\n"})


def test_a_package_of_the_program_is_no_library(tmp_path: Path, world: World) -> None:
    """A program may call its own package like a known library: the call site is in there, not above."""
    package = tmp_path / "agents"
    package.mkdir()
    (package / "__init__.py").write_text("def ask(call):\n    return call()\n")
    names: dict[str, Any] = {"__name__": "agents"}
    exec(compile((package / "__init__.py").read_text(), str(package / "__init__.py"), "exec"), names)
    with opened(like_openai, world) as client:
        names["ask"](functools.partial(client.chat.completions.create, model="gpt-4o", messages=MESSAGES))

    assert world.end()["call_site"].endswith("agents/__init__.py:2")


def test_a_tag_ends_when_the_block_raises(world: World) -> None:
    """An exception leaves no tag behind."""
    with opened(like_openai, world) as client:
        with pytest.raises(ValueError, match="stop"), monitor.tag(team="search"):
            raise ValueError("stop")
        _ask(client)

    assert "team" not in world.end()


def test_a_tag_can_be_used_again(world: World) -> None:
    """One tag object serves many blocks, also inside each other."""
    search = monitor.tag(team="search")
    with opened(like_openai, world) as client:
        with search, search:
            _ask(client)
        with search:
            _ask(client)
        _ask(client)

    assert [end.get("team") for end in world.ends()] == ["search", "search", None]


def test_decorated_functions_are_tagged(world: World) -> None:
    """A plain function and a coroutine function keep their nature, name and result."""

    @monitor.tag(feature="plain")
    def ask(client: Any) -> str:
        return str(_ask(client).id)

    @monitor.tag(feature="async")
    async def ask_async(client: AsyncOpenAI) -> str:
        return str((await _ask(client)).id)

    async def run(server: LoopbackServer) -> str:
        async with async_client(server, world) as client:
            return await ask_async(client)

    with opened(like_openai, world) as client:
        assert ask(client) == "chatcmpl-1"
        assert asyncio.run(run(client.server)) == "chatcmpl-1"

    assert ask.__name__ == "ask"
    assert inspect.iscoroutinefunction(ask_async)
    assert [end["feature"] for end in world.ends()] == ["plain", "async"]


def test_tags_follow_into_tasks_but_not_back(world: World) -> None:
    """A task started inside a block has its tags; what a task sets does not leak to the others."""

    async def work(client: AsyncOpenAI, name: str) -> None:
        with monitor.tag(feature=name):
            await _ask(client)

    async def run(server: LoopbackServer) -> None:
        async with async_client(server, world) as client:
            with monitor.tag(team="search"):
                await asyncio.gather(*(work(client, f"f{number}") for number in range(5)))
            await _ask(client)

    with LoopbackServer(like_openai) as server:
        asyncio.run(run(server))

    ends = world.ends()
    assert sorted((end["team"], end["feature"]) for end in ends[:5]) == [("search", f"f{n}") for n in range(5)]
    assert "team" not in ends[5]


def test_tags_follow_a_copied_context_into_a_thread(world: World) -> None:
    """A thread started with a copy of the context has the tags; one without has none."""
    with opened(like_openai, world) as client:
        with monitor.tag(team="search"):
            targets: list[Any] = [contextvars.copy_context().run, lambda function, given: function(given)]
        for target in targets:
            thread = threading.Thread(target=target, args=(_ask, client))
            thread.start()
            thread.join(30)

    assert [end.get("team") for end in world.ends()] == ["search", None]


@pytest.mark.parametrize(
    ("sent", "user"),
    [({"safety_identifier": "s-1", "user": "u-1"}, "s-1"), ({"user": "u-1"}, "u-1"), ({}, None)],
)
def test_the_user_of_the_request_is_the_user(sent: dict[str, str], user: str | None, world: World) -> None:
    """Without a tag the request's own safety identifier, else its user, is taken."""
    with opened(like_openai, world) as client:
        _ask(client, **sent)
        with monitor.tag(user="tagged"):
            _ask(client, **sent)

    assert [end.get("user") for end in world.ends()] == [user, "tagged"]


def test_organisation_and_project_come_from_the_answer(world: World) -> None:
    """The answer's headers win over those of the request."""
    answer = json_answer(headers=(("content-type", "application/json"), ("openai-organization", "org-answer")))
    with opened(always(answer), world, organization="org-request", project="proj-request") as client:
        _ask(client)

    end = world.end()
    assert (end["billing_account_id"], end["sub_account_id"]) == ("org-answer", "proj-request")


def test_the_key_is_a_fingerprint_and_four_letters(world: World) -> None:
    """Two keys can be told apart, the same key is the same in every process, and none can be used."""
    with LoopbackServer(like_openai) as server:
        for key in (KEY, "sk-proj-another-key-9876543210", KEY):
            with world.wrap(new_client(openai.OpenAI, server, api_key=key)) as client:
                _ask(client)

    first, second, third = world.ends()
    assert first["key_fingerprint"] == third["key_fingerprint"] != second["key_fingerprint"]
    assert (first["key_hint"], second["key_hint"]) == (KEY[-4:], "3210")
    assert len(first["key_fingerprint"]) == 16


@pytest.mark.parametrize(
    ("authorization", "hint"),
    [
        ("Bearer sk-proj-0123456789abcdef", "cdef"),
        ("Bearer short", None),
        ("Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.xyz", None),
    ],
)
def test_what_is_no_key_shows_nothing(authorization: str, hint: str | None) -> None:
    """Four letters of a short secret or of a token are too many."""
    assert KeyNames(b"salt").name(authorization, None)[1] == hint


def test_azures_key_is_the_key() -> None:
    """Where both headers are sent, they hold the same key; the fingerprint does not depend on the header."""
    names = KeyNames(b"salt")

    assert names.name("Bearer 0123456789abcdef0123", "0123456789abcdef0123") == names.name(None, "0123456789abcdef0123")
    assert names.name(None, None) == (None, None)


def test_other_installations_have_other_fingerprints() -> None:
    """The install secret is part of the fingerprint, so that two installations cannot be joined."""
    assert KeyNames(b"one").name("Bearer " + KEY, None) != KeyNames(b"two").name("Bearer " + KEY, None)


_CANARY = "canary-7f3a9c"


def test_no_secret_and_no_content_is_on_the_disk(world: World) -> None:
    """Key, headers, prompt, answer, URL query and error text leave no trace in any file of the data directory."""
    key = f"sk-proj-{_CANARY}-key-0123456789"
    told = {
        "error": {"message": f"Incorrect key {_CANARY}", "type": "invalid_request_error", "param": _CANARY, "code": "x"}
    }
    reply = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "system_fingerprint": _CANARY}
    choice = {"index": 0, "message": {"role": "assistant", "content": _CANARY}, "finish_reason": "stop"}
    answers = [
        json_answer(
            {**reply, "choices": [choice]}, headers=(("content-type", "application/json"), ("set-cookie", _CANARY))
        ),
        json_answer(told, status=401),
        Answer(
            headers=EVENTS,
            pieces=events([{**chunk, "x": _CANARY} for chunk in chunks(has_usage=True)]),
            is_chunked=True,
        ),
        Answer(hangs_up=True),
        Answer(status=500, pieces=(_CANARY.encode(),)),
    ]
    turn = iter(answers)
    named = {
        "messages": [{"role": "user", "content": _CANARY}],
        "extra_headers": {"x-secret": _CANARY, "cookie": _CANARY},
        "extra_query": {"api-key": _CANARY, "sig": _CANARY},
        "metadata": {"note": _CANARY},
        "prompt_cache_key": _CANARY,
    }
    with opened(lambda _: next(turn), world, api_key=key) as client:
        for is_stream in (False, False, True, False, False):
            try:
                list(client.chat.completions.create(model="gpt-4o", stream=is_stream, **named))
            except openai.APIError:
                continue

    content = world.content()
    assert len(world.ends()) == 5
    assert _CANARY.encode() not in content
    assert json.dumps(_CANARY)[1:-1].encode() not in content


def test_the_files_are_for_their_owner_only(world: World) -> None:
    """Nobody else on the machine can read the spool or the install secret."""
    with opened(like_openai, world) as client:
        _ask(client)

    modes = {path.name: path.stat().st_mode & 0o077 for path in [world.directory, *world.directory.rglob("*")]}
    assert set(modes.values()) == {0}
