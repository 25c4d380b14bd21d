"""Which line of the program makes a call, past whatever stands between it and the SDK."""

import functools
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.capture.call_sites import CallSites, call_sites
from monitor.settings import Settings
from tests.capture.world import MESSAGES, World, like_openai, opened

_THROUGH = "def through(call):\n    return call()\n"
_INSTALLED = "lib/site-packages"


def _through(file: str, module: str) -> Callable[[Callable[[], Any]], Any]:
    """A function of that module that calls what it is given."""
    names: dict[str, Any] = {"__name__": module}
    exec(compile(_THROUGH, file, "exec"), names)
    function: Callable[[Callable[[], Any]], Any] = names["through"]
    return function


@pytest.mark.parametrize(
    "module",
    [
        "langchain_openai.chat_models.base",
        "smolagents.models",
        "google.adk.models.lite_llm",
        "openinference.instrumentation.openai",
        "opentelemetry.instrumentation.openai_v2",
        "traceloop.sdk",
        "langfuse.openai",
        "litellm.main",
        "agents.models",
        "strands.agent",
        "guidance._model",
    ],
)
def test_frameworks_are_passed_over(module: str) -> None:
    """The line is that of the code that uses them."""
    through = _through(f"{_INSTALLED}/{module.replace('.', '/')}.py", module)
    site, function = through(functools.partial(through, CallSites().here))

    assert site is not None
    assert site.startswith("tests/capture/test_call_sites.py:")
    assert (function or "").startswith(__name__)


@pytest.mark.parametrize("module", ["agents.shop", "guidance", "google.shop", "shop.openai"])
def test_the_programs_own_code_is_not(module: str) -> None:
    """It may be called like a framework, or lie beside one."""
    site, function = _through(f"src/{module.replace('.', '/')}.py", module)(CallSites().here)

    assert (site, function) == (f"src/{module.replace('.', '/')}.py:2", f"{module}.through")


def test_more_can_be_named() -> None:
    """Packages, and modules by their whole name; what begins alike is not meant."""
    through = _through("acme/llm/client.py", "acme.llm.client")
    for name in ("other", "acme.ll", "llm"):
        assert through(CallSites((name,)).here)[0] == "acme/llm/client.py:2"
    for name in ("acme", "acme.llm", "acme.llm.client"):
        assert through(CallSites((name,)).here)[0].startswith("tests/")


def test_the_setting_reaches_the_record(world: World) -> None:
    """`frameworks` of the settings holds for the clients that are wrapped with them."""
    through = _through("src/acme/llm.py", "acme.llm")
    with opened(like_openai) as client:
        world.wrap(client, settings=Settings(home=world.directory, frameworks=("acme",)))
        through(functools.partial(client.chat.completions.create, model="gpt-4o", messages=MESSAGES))

    assert world.end()["call_site"].startswith("tests/capture/test_call_sites.py:")


def test_the_finder_is_shared() -> None:
    """Clients with the same frameworks share what was seen."""
    assert call_sites(("a",)) is call_sites(("a",)) is not call_sites(())


class Shop:
    """A class of a program."""

    def ask(self) -> tuple[str | None, str | None]:
        def inner() -> tuple[str | None, str | None]:
            return CallSites().here()

        return inner()


def test_the_function_has_its_whole_name() -> None:
    """Module, class and function."""
    assert Shop().ask()[1] == f"{__name__}.Shop.ask.<locals>.inner"


def test_what_runs_as_main_has_its_own_name(tmp_path: Path) -> None:
    """`python -m shop.app` runs the module under the name `__main__`; a script has no other name."""
    program = "from monitor.capture.call_sites import CallSites\nsite = CallSites().here()\n"
    (tmp_path / "shop_of_tests").mkdir()
    (tmp_path / "shop_of_tests" / "app.py").write_text(program)
    sys.path.insert(0, str(tmp_path))
    try:
        as_module = runpy.run_module("shop_of_tests.app", run_name="__main__", alter_sys=True)["site"]
    finally:
        sys.path.remove(str(tmp_path))
    as_script = runpy.run_path(str(tmp_path / "shop_of_tests" / "app.py"), run_name="__main__")["site"]

    assert as_module[1] == "shop_of_tests.app.<module>"
    assert as_script[1] == "__main__.<module>"


@pytest.mark.parametrize("name", [None, 5, "", "a..b", ".", "\udc80"])
def test_code_with_an_odd_name_has_a_site(name: Any) -> None:
    """Programs run code that they made themselves, in namespaces of all kinds."""
    names: dict[str, Any] = {"__name__": name, "here": CallSites().here}
    exec(compile("site = here()\n", "made.txt", "exec"), names)

    assert names["site"][0] == "made.txt:1"
    names["site"][1].encode("utf-8")


def test_a_deep_stack_is_searched() -> None:
    """Chains of frameworks are hundreds of frames deep."""
    names: dict[str, Any] = {"__name__": "langchain_core", "here": CallSites().here}
    program = "def down(depth):\n    return down(depth - 1) if depth else here()\n"
    exec(compile(program, f"{_INSTALLED}/langchain_core/base.py", "exec"), names)

    assert names["down"](200)[0].startswith("tests/")
    assert names["down"](500) == (None, None)
