"""Names and lengths of modules."""

import ast

from tests.support.source_tree import ROOT, shown, source_files, syntax_tree

# These names describe no content, so such modules collect unrelated code.
_VAGUE_NAMES = {"utils", "util", "helpers", "helper", "services", "managers", "misc", "selectors", "signals"}
_SETTINGS_OF_SERVERS = "config/settings/services.py"
_MAX_LINES = 300


def test_modules_are_named_for_their_job() -> None:
    found = [
        shown(path)
        for path in source_files()
        if shown(path) != _SETTINGS_OF_SERVERS and _VAGUE_NAMES & {*path.relative_to(ROOT).with_suffix("").parts}
    ]
    assert not found


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {shown(path): len(path.read_text().splitlines()) for path in source_files()}
    assert not {path: lines for path, lines in lengths.items() if lines > _MAX_LINES}


def test_models_do_not_override_save() -> None:
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in source_files()
        if "models" in path.relative_to(ROOT).with_suffix("").parts
        for node in ast.walk(syntax_tree(path))
        if isinstance(node, ast.FunctionDef) and node.name in ("save", "bulk_create", "bulk_update")
    ]
    assert not found


def test_only_settings_read_the_environment() -> None:
    """`devstack` is exempt: its commands read host and port from the environment."""
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in source_files()
        if path.relative_to(ROOT).parts[0] not in ("config", "devstack")
        for node in ast.walk(syntax_tree(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv", "environ.Env")
    ]
    assert not found
