"""Tags in every kind of function, in threads and tasks, and as headers of a single call."""

import asyncio
import contextlib
import contextvars
import functools
import inspect
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import monitor
from monitor.capture.attribution import current_tags, header_tag
from monitor.settings import Settings
from tests.capture.world import MESSAGES, World, like_openai, opened


def _team() -> str | None:
    return current_tags().get("team")


def test_a_generator_is_tagged_while_it_runs() -> None:
    """What reads it is not; what it reads is."""

    @monitor.tag(team="inner")
    def teams() -> Iterator[str | None]:
        yield _team()
        yield _team()

    seen = [(team, _team()) for team in teams()]

    assert seen == [("inner", None), ("inner", None)]
    assert inspect.isgeneratorfunction(teams)


def test_a_generator_keeps_its_ways() -> None:
    """Values and exceptions go in, a value comes out at the end; all inside its tags."""
    seen: list[object] = []

    @monitor.tag(team="inner")
    def talk() -> Any:
        try:
            seen.append((yield 1))
        except ValueError as error:
            seen.append((str(error), _team()))
            yield 2
        finally:
            seen.append(("end", _team()))
        return 3

    one = talk()
    assert next(one) == 1
    with pytest.raises(StopIteration) as stopped:
        one.send("given")
    assert stopped.value.value == 3
    two = talk()
    next(two)
    assert two.throw(ValueError("thrown")) == 2
    two.close()

    assert seen == ["given", ("end", "inner"), ("thrown", "inner"), ("end", "inner")]
    assert _team() is None


def test_a_context_manager_is_tagged_while_it_runs() -> None:
    """`contextmanager` over a tagged generator: the block inside has no tags of it, its end has."""
    seen: list[str | None] = []

    @contextlib.contextmanager
    @monitor.tag(team="inner")
    def block() -> Iterator[None]:
        try:
            yield
        except KeyError:
            seen.append(_team())

    def work() -> None:
        with block():
            seen.append(_team())
            raise KeyError

    work()

    assert seen == [None, "inner"]


def test_an_async_generator_is_tagged_while_it_runs() -> None:
    """The same for those that are awaited; also what is thrown into them, and their end."""
    seen: list[object] = []

    @monitor.tag(team="inner")
    async def teams() -> AsyncIterator[str | None]:
        try:
            await asyncio.sleep(0)
            yield _team()
            await asyncio.sleep(0)
            yield _team()
        except ValueError as error:
            seen.append((str(error), _team()))
            yield "thrown"
        finally:
            await asyncio.sleep(0)
            seen.append(("end", _team()))

    async def run() -> None:
        seen.extend([(team, _team()) async for team in teams()])
        other: Any = teams()
        await other.asend(None)
        seen.append(await other.athrow(ValueError("thrown in")))
        await other.aclose()
        third: Any = teams()
        await third.asend(None)
        await third.aclose()

    assert inspect.isasyncgenfunction(teams)
    asyncio.run(run())

    assert seen == [
        ("end", "inner"),
        ("inner", None),
        ("inner", None),
        ("thrown in", "inner"),
        "thrown",
        ("end", "inner"),
        ("end", "inner"),
    ]


def test_an_async_generator_takes_values_and_raises_its_own() -> None:
    """What is sent comes in; what it does not catch comes out."""

    @monitor.tag(team="inner")
    async def echo() -> Any:
        given = yield "first"
        yield given
        raise KeyError("own")

    async def run() -> list[object]:
        one: Any = echo()
        found: list[object] = [await one.asend(None), await one.asend("sent")]
        with pytest.raises(KeyError, match="own"):
            await one.asend(None)
        two: Any = echo()
        await two.asend(None)
        with pytest.raises(ZeroDivisionError):
            await two.athrow(ZeroDivisionError())
        return found

    assert asyncio.run(run()) == ["first", "sent"]


def test_an_async_block_is_left_with_what_cancels_it() -> None:
    """`asynccontextmanager` throws what ends its block into the generator, a cancellation too."""
    seen: list[object] = []

    @contextlib.asynccontextmanager
    @monitor.tag(team="inner")
    async def block() -> AsyncIterator[None]:
        try:
            yield
        except asyncio.CancelledError:
            seen.append(_team())
            raise

    async def run() -> None:
        async with block():
            await asyncio.get_running_loop().create_future()

    async def main() -> None:
        task = asyncio.create_task(run())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert seen == ["inner"]


def test_blocks_may_end_in_any_order() -> None:
    """A generator that holds a block open is left when its reader likes; the others stay."""

    def holding() -> Generator[None, None, None]:
        with monitor.tag(team="held", feature="held"):
            yield

    generator = holding()
    next(generator)
    with monitor.tag(team="outer"):
        generator.close()
        assert current_tags() == {"team": "outer"}

    assert current_tags() == {}


def test_a_block_may_end_elsewhere() -> None:
    """What is entered in one context and left in another does no harm in either."""
    block = monitor.tag(team="search")
    context = contextvars.copy_context()
    context.run(block.__enter__)
    block.__exit__(None, None, None)

    assert _team() is None
    assert context.run(_team) == "search"


def test_one_tag_serves_many_threads() -> None:
    """As a decorator and as a block, at the same time."""
    search = monitor.tag(team="search")
    start = threading.Barrier(4)

    @search
    def inside() -> str | None:
        start.wait(30)
        return _team()

    def work(_: int) -> list[str | None]:
        with search:
            start.wait(30)
            within = [_team(), inside()]
            start.wait(30)
        return [*within, _team()]

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(work, range(4)))

    assert seen == [["search", "search", None]] * 4


def test_one_tag_serves_many_tasks() -> None:
    """Tasks enter and leave the same block in turn."""
    search = monitor.tag(team="search")

    async def work(turns: int) -> list[str | None]:
        with search:
            for _ in range(turns):
                await asyncio.sleep(0)
            within = _team()
        await asyncio.sleep(0)
        return [within, _team()]

    async def run() -> list[list[str | None]]:
        return await asyncio.gather(*(work(turns) for turns in (3, 1, 2)))

    assert asyncio.run(run()) == [["search", None]] * 3


def test_tags_go_where_the_context_goes() -> None:
    """Into `to_thread` and a copied context; not into a bare thread or a pool."""

    async def run() -> str | None:
        return await asyncio.to_thread(_team)

    with monitor.tag(team="search"), ThreadPoolExecutor(1) as pool:
        copied = contextvars.copy_context()
        assert asyncio.run(run()) == "search"
        assert pool.submit(copied.run, _team).result() == "search"
        assert pool.submit(_team).result() is None


@pytest.mark.parametrize(
    ("name", "value", "tag"),
    [
        (b"x-monitor-team", b"search", ("team", "search")),
        (b"X-Monitor-User", b" u-1 ", ("user", "u-1")),
        (b"x-monitor-cost-center", b"M%C3%BCnchen", ("cost_center", "München")),
        (b"x-monitor-city", "München".encode(), ("city", "München")),
        (b"x-monitor-city", "München".encode("latin-1"), ("city", "München")),
        (b"x-monitor-share", b"100% of 5%25", ("share", "100% of 5%")),
        (b"x-monitor-odd", b"a%00b%ff", ("odd", "a\x00bÿ")),
        (b"x-monitor-long", b"x" * 5000, ("long", "x" * 1024)),
        (b"x-monitor-\xfc", b"1", ("ü", "1")),
        (b"x-monitor-team", b"", None),
        (b"x-monitor-team", b"%20", None),
        (b"x-monitor-", b"x", None),
        (b"x-monitoring", b"x", None),
        (b"team", b"x", None),
    ],
)
def test_a_header_is_a_tag(name: bytes, value: bytes, tag: tuple[str, str] | None) -> None:
    """Its name is the rest of the header's; the value may be written in any of three ways."""
    assert header_tag(name, value) == tag


def test_tags_of_the_settings_are_the_weakest(world: World) -> None:
    """They stand below those of `wrap`, which stand below those around the call."""
    settings = Settings(home=world.directory, tags={"team": "set", "region": "set", "build": "set"})
    with opened(like_openai) as client:
        world.wrap(client, settings=settings, tags={"team": "wrapped", "region": "wrapped"})
        with monitor.tag(team="around"):
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    end = world.end()
    assert (end["team"], end["tags"]) == ("around", {"region": "wrapped", "build": "set"})


def test_headers_win_over_all_and_stay_here(world: World) -> None:
    """`x-monitor-…` is taken off before the request leaves; other headers go as they were."""
    sent = {"x-monitor-team": "header", "X-Monitor-Cost-Center": "M%C3%BCnchen", "x-own": "1"}
    with opened(like_openai, default_headers={"x-monitor-session": "client"}) as client:
        world.wrap(client, tags={"team": "wrapped", "user": "wrapped"})
        with monitor.tag(team="around", feature="around"):
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES, extra_headers=sent)
        (asked,) = client.server.asked

    end = world.end()
    assert [end[name] for name in ("team", "feature", "user", "session")] == ["header", "around", "wrapped", "client"]
    assert end["tags"] == {"cost_center": "München"}
    assert {name for name in asked.headers if name.startswith("x-monitor")} == set()
    assert asked.headers["x-own"] == "1"


def test_a_signed_request_goes_as_it_is(world: World) -> None:
    """The signature of AWS covers every header; the tag is recorded all the same."""
    sent = {"authorization": "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c", "x-monitor-team": "search"}
    with opened(like_openai, world) as client:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES, extra_headers=sent)
        (asked,) = client.server.asked

    assert (asked.headers["x-monitor-team"], world.end()["team"]) == ("search", "search")


def test_a_class_is_not_decorated() -> None:
    """It would be a function from then on; the error says what to do."""

    class Shop:
        """Anything."""

    with pytest.raises(TypeError, match=r"cannot decorate .*Shop, which is a class\. Decorate its methods\."):
        monitor.tag(team="inner")(Shop)


@pytest.mark.parametrize("thing", [None, property(lambda _: _team())])
def test_what_cannot_be_called_is_not_decorated(thing: Any) -> None:
    """The error names what it was given."""
    with pytest.raises(TypeError, match=f"cannot decorate a {type(thing).__name__}"):
        monitor.tag(team="inner")(thing)


class _Shop:
    """Methods of each kind, with the decorator above and below."""

    @monitor.tag(team="inner")
    @staticmethod
    def static() -> str | None:
        return _team()

    @monitor.tag(team="inner")
    @classmethod
    def of_class(cls) -> tuple[type[Any], str | None]:
        return cls, _team()

    @monitor.tag(team="inner")
    @staticmethod
    async def awaited() -> str | None:
        return _team()

    @property
    @monitor.tag(team="inner")
    def named(self) -> str | None:
        return _team()


def test_static_and_class_methods_stay_what_they_are() -> None:
    """Asked of the class and of an object."""
    assert [_Shop.static(), _Shop().static(), _Shop().named] == ["inner"] * 3
    assert [_Shop.of_class(), _Shop().of_class()] == [(_Shop, "inner")] * 2
    assert asyncio.run(_Shop.awaited()) == "inner"
    assert [type(vars(_Shop)[name]) for name in ("static", "of_class")] == [staticmethod, classmethod]
    assert inspect.iscoroutinefunction(_Shop.awaited)


class _Awaited:
    async def __call__(self) -> str | None:
        await asyncio.sleep(0)
        return _team()


class _Generating:
    def __call__(self) -> Iterator[str | None]:
        yield _team()


@pytest.mark.parametrize("thing", [_Awaited(), functools.partial(_Awaited()), functools.partial(_Awaited().__call__)])
def test_an_object_that_is_awaited_is_tagged(thing: Any) -> None:
    """It is taken by what its call is, not by what it is itself."""
    decorated = monitor.tag(team="inner")(thing)

    assert asyncio.run(decorated()) == "inner"
    assert inspect.iscoroutinefunction(decorated)


@pytest.mark.parametrize("thing", [_Generating(), functools.partial(_Generating())])
def test_an_object_that_generates_is_tagged(thing: Any) -> None:
    """While it runs, as a function would be."""
    assert [(team, _team()) for team in monitor.tag(team="inner")(thing)()] == [("inner", None)]
