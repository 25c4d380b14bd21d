"""The shape of the code: small files, small functions, migrations that shadow nothing."""

import ast

from tests.architecture.sources import PACKAGES, ROOT, modules

_MOST_LINES_OF_A_FILE = 400
_MOST_LINES_OF_A_FUNCTION = 50


def test_files_are_small() -> None:
    """A file that grew past the limit is two files, also one of tests."""
    names = [name for name, _ in modules(*PACKAGES, "tests")]
    lengths = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in names}

    assert {name: length for name, length in lengths.items() if length > _MOST_LINES_OF_A_FILE} == {}


def test_functions_are_small() -> None:
    """A function that grew past the limit does two things."""
    lengths = {
        f"{name}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for name, tree in modules(*PACKAGES)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: length for name, length in lengths.items() if length > _MOST_LINES_OF_A_FUNCTION} == {}


def test_the_migrations_are_not_a_package() -> None:
    """With an `__init__.py` our `alembic/` would be imported in place of the library."""
    assert list((ROOT / "alembic").rglob("__init__.py")) == []
