"""The tests inject what they need: no mock, nothing patched, no waiting by the clock."""

import ast
from collections.abc import Iterator

from tests.architecture.sources import dotted, modules

_MOCK_MODULES = frozenset({"unittest.mock", "mock", "pytest_mock"})
_ALLOWED_OF_MONKEYPATCH = frozenset({"setenv", "delenv", "chdir", "undo", "context"})
_PATCHING = frozenset({"setattr", "delattr", "setitem", "delitem", "syspath_prepend"})


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return set()


def _nodes() -> Iterator[tuple[str, ast.AST]]:
    for name, tree in modules("tests"):
        for node in ast.walk(tree):
            yield f"{name}:{getattr(node, 'lineno', 0)}", node


def _is_patching(node: ast.AST) -> bool:
    if not isinstance(node, ast.Attribute):
        return False
    is_monkeypatch = dotted(node.value) == "monkeypatch"
    return node.attr in _PATCHING or (is_monkeypatch and node.attr not in _ALLOWED_OF_MONKEYPATCH)


def test_no_test_uses_a_mock() -> None:
    """A fake that is shared and tested itself stands in for what is outside."""
    faults = [
        where
        for where, node in _nodes()
        if _imported(node) & _MOCK_MODULES or (isinstance(node, ast.arg) and node.arg == "mocker")
    ]

    assert faults == []


def test_no_test_patches_the_code() -> None:
    """Only the environment may be set from a test; needing more shows a missing argument."""
    assert [where for where, node in _nodes() if _is_patching(node)] == []


def test_no_test_sleeps() -> None:
    """A test waits for an event or moves a clock."""
    faults = [
        where
        for where, node in _nodes()
        if "time.sleep" in _imported(node) or (isinstance(node, ast.Attribute) and dotted(node) == "time.sleep")
    ]

    assert faults == []
