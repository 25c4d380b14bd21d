"""Who may catch everything: the few places that stand between our faults and something that must go on."""

import ast

import pytest

from tests.architecture.sources import PACKAGES, dotted, modules

_ALLOWED = frozenset(
    {
        "monitor/autostart/sitecustomize.py",  # the program that is run goes on unwatched
        "monitor/capture/guarded.py",  # our faults never reach the caller
        "monitor/capture/stepping.py",  # hands on what is thrown into a generator
        "monitor/capture/transport.py",  # the naked step; raises again
        "monitor/jobs/delivery.py",  # one notifier's fault does not keep back the others
        "monitor/jobs/runner.py",  # one job's fault does not stop the others
    }
)
_BROAD = frozenset({"Exception", "BaseException", "builtins.Exception", "builtins.BaseException"})


def _is_broad(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(dotted(kind) in _BROAD for kind in kinds)


def _broad_lines(tree: ast.AST) -> list[int]:
    """Lines that catch everything: `except` clauses and `contextlib.suppress`."""
    handlers = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and _is_broad(node.type)]
    suppressed = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and dotted(node.func).split(".")[-1] == "suppress"
        and any(_is_broad(kind) for kind in node.args)
    ]
    return handlers + suppressed


@pytest.mark.parametrize(
    "source",
    [
        "try: f()\nexcept: pass",
        "try: f()\nexcept Exception: pass",
        "try: f()\nexcept (ValueError, BaseException): pass",
        "with suppress(Exception): f()",
        "with contextlib.suppress(KeyError, Exception): f()",
    ],
)
def test_a_broad_handler_is_seen(source: str) -> None:
    """The search finds each way to catch everything."""
    assert _broad_lines(ast.parse(source)) != []


def test_only_the_outermost_loops_catch_everything() -> None:
    """Anywhere else an error is caught by its name, where something can be done about it."""
    faults = [
        f"{name}:{line}"
        for name, tree in modules(*PACKAGES, "alembic")
        for line in _broad_lines(tree)
        if name not in _ALLOWED
    ]

    assert faults == []
