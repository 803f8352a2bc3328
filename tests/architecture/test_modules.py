"""How modules are named and how long they are."""

import ast

from tests.support.source_tree import ROOT, shown, source_files, syntax_tree

# They say nothing of what is inside, so anything gets in.
_NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "services", "managers", "misc", "selectors", "signals"}
_THE_PROGRAMS_WE_STAND_ON = "config/settings/services.py"
_MAX_LINES = 300


def test_modules_are_named_for_their_job() -> None:
    found = [
        shown(path)
        for path in source_files()
        if shown(path) != _THE_PROGRAMS_WE_STAND_ON
        and _NAMES_THAT_SAY_NOTHING & {*path.relative_to(ROOT).with_suffix("").parts}
    ]
    assert not found


def test_no_file_is_longer_than_can_be_read_in_one_go() -> None:
    lengths = {shown(path): len(path.read_text().splitlines()) for path in source_files()}
    assert not {path: lines for path, lines in lengths.items() if lines > _MAX_LINES}


def test_models_keep_their_rules_out_of_save() -> None:
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in source_files()
        if "models" in path.relative_to(ROOT).with_suffix("").parts
        for node in ast.walk(syntax_tree(path))
        if isinstance(node, ast.FunctionDef) and node.name in ("save", "bulk_create", "bulk_update")
    ]
    assert not found


def test_the_environment_is_read_in_the_settings_only() -> None:
    """A start is told host and port by the environment too: `devstack` may, for its command line."""
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in source_files()
        if path.relative_to(ROOT).parts[0] not in ("config", "devstack")
        for node in ast.walk(syntax_tree(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv", "environ.Env")
    ]
    assert not found
