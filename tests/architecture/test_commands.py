"""Every management command is run by a test."""

import ast

import pytest

from tests.support.source_tree import ROOT, files_of_tests, syntax_tree

COMMANDS = sorted(
    path.stem for path in ROOT.glob("*/management/commands/*.py") if not path.stem.startswith("_")
)  # fmt: skip


def _command_names(tree: ast.Module) -> set[str]:
    """Return the command names that are arguments or items of argument lists in a file that runs commands."""
    if not any(isinstance(node, ast.Name) and node.id in ("call_command", "subprocess") for node in ast.walk(tree)):
        return set()
    lists = [
        node.args if isinstance(node, ast.Call) else node.elts
        for node in ast.walk(tree)
        if isinstance(node, (ast.Call, ast.List, ast.Tuple))
    ]
    return {
        item.value for items in lists for item in items if isinstance(item, ast.Constant) and item.value in COMMANDS
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_a_test_runs_the_command(command: str) -> None:
    own = ROOT / "tests" / "architecture"
    assert any(command in _command_names(syntax_tree(path)) for path in files_of_tests() if own not in path.parents)
