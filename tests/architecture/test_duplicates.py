"""A function exists once: no two modules of different apps define functions with the same body."""

import ast
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.support.source_tree import ROOT, shown, source_files, syntax_tree

_MIN_STATEMENTS = 3

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _body(function: Function) -> list[ast.stmt]:
    has_docstring = ast.get_docstring(function) is not None
    return function.body[1:] if has_docstring else function.body


def _statements(body: list[ast.stmt]) -> int:
    return sum(isinstance(node, ast.stmt) for statement in body for node in ast.walk(statement))


def _functions(tree: ast.AST) -> Iterator[Function]:
    """Yield the functions whose bodies are long enough that equality is no accident."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _statements(_body(node)) >= _MIN_STATEMENTS:
            yield node


def _fingerprint(function: Function) -> str:
    """Return the body as text with names of parameters and locals numbered, so that a renamed copy is found too."""
    numbers: dict[str, str] = {}
    own = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    for statement in function.body:
        own |= {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    parts = []
    for statement in _body(function):
        copy = ast.parse(ast.unparse(statement))
        for node in ast.walk(copy):
            if isinstance(node, ast.Name) and node.id in own:
                node.id = numbers.setdefault(node.id, f"v{len(numbers)}")
        parts.append(ast.dump(copy))
    return "\n".join(parts)


def test_no_two_apps_define_a_function_with_the_same_body() -> None:
    places: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in source_files():
        for function in _functions(syntax_tree(path)):
            app = path.relative_to(ROOT).parts[0]
            places[_fingerprint(function)].append((app, f"{shown(path)}:{function.lineno} {function.name}"))
    found = [" = ".join(label for _, label in same) for same in places.values() if len({app for app, _ in same}) > 1]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (
            "def f(a):\n    b = a + 1\n    c = b\n    return c",
            "def g(x):\n    y = x + 1\n    z = y\n    return z",
            True,
        ),
        (
            "def f(a):\n    '''Doc.'''\n    b = a\n    c = b\n    return c",
            "def f(a):\n    b = a\n    c = b\n    return c",
            True,
        ),
        (
            "def f(a):\n    b = a + 1\n    c = b\n    return c",
            "def f(a):\n    b = a + 2\n    c = b\n    return c",
            False,
        ),
        ("def f(a):\n    b = g(a)\n    c = b\n    return c", "def f(a):\n    b = h(a)\n    c = b\n    return c", False),
    ],
)
def test_the_search_for_duplicates_ignores_docstrings_and_local_names(left: str, right: str, equal: bool) -> None:
    first, second = (next(_functions(ast.parse(source))) for source in (left, right))
    assert (_fingerprint(first) == _fingerprint(second)) is equal
