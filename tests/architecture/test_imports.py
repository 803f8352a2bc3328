"""Layers and the form of imports."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source_tree import ROOT, shown, source_files, syntax_tree


def test_every_contract_on_imports_is_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def _imports_inside_functions(tree: ast.Module) -> list[int]:
    """Return the lines of imports inside functions, except in `AppConfig.ready()`, where Django requires them."""
    lines: list[int] = []
    allowed = {
        id(method)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("AppConfig") for base in node.bases)
        for method in node.body
        if isinstance(method, ast.FunctionDef) and method.name == "ready"
    }
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) and id(function) not in allowed:
            lines += [node.lineno for node in ast.walk(function) if isinstance(node, (ast.Import, ast.ImportFrom))]
    return lines


def test_imports_are_at_the_top_of_their_module() -> None:
    found = [
        f"{shown(path)}:{line}" for path in source_files() for line in _imports_inside_functions(syntax_tree(path))
    ]
    assert not found, "an import inside a function hides an import cycle"


def test_imports_are_absolute() -> None:
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in source_files()
        for node in ast.walk(syntax_tree(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not found


def test_no_signals_are_connected() -> None:
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in source_files()
        for node in ast.walk(syntax_tree(path))
        if (isinstance(node, ast.ImportFrom) and node.module in ("django.dispatch", "django.db.models.signals"))
        or (isinstance(node, ast.Attribute) and ast.unparse(node).endswith(".signals"))
    ]
    assert not found, "call the function instead of connecting a signal"


@pytest.mark.parametrize(
    ("source", "succeeded"),
    [
        ("import os", True),
        ("class A(AppConfig):\n    def ready(self):\n        import os", True),
        ("class A(AppConfig):\n    def other(self):\n        import os", False),
        ("class A:\n    def ready(self):\n        import os", False),
        ("def f():\n    from os import path", False),
    ],
)
def test_the_search_for_imports_inside_functions_finds_them(source: str, succeeded: bool) -> None:
    assert (_imports_inside_functions(ast.parse(source)) == []) is succeeded
