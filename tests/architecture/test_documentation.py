"""ARCHITECTURE.md and the other pages name modules, functions, commands, files and targets that exist."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.support.source_tree import PACKAGES, ROOT, project_files, shown, source_files, syntax_tree

_IN_EVERY_APP = {"__init__", "apps", "migrations", "management", "__pycache__"}
_OTHER_FOLDERS = {"tests", "contracts", "benchmarks", "docs"}
_FOREIGN = ("django.", "waffle.", "lib.")
_EVENTS = ("bug_report.",)  # of webhooks
PAGES = sorted(path for path in project_files() if path.suffix == ".md")


def _section(title: str) -> str:
    """Return the first code block below a heading of ARCHITECTURE.md."""
    return (ROOT / "ARCHITECTURE.md").read_text().partition(f"## {title}\n")[2].split("```")[1]


def _map_of_the_tree() -> dict[str, str]:
    entries = re.split(r"^(\w+)/ ", _section("The tree"), flags=re.MULTILINE)
    return dict(zip(entries[1::2], entries[2::2], strict=True))


def _names(entry: str) -> tuple[set[str], dict[str, set[str]]]:
    """Return the modules, folders and commands of an entry, and the modules of each folder written with braces."""
    text = re.sub(r"\([^)]*\)|commands?:", "", entry)
    inside = {folder: set(re.findall(r"\w+", names)) for folder, names in re.findall(r"(\w+)/\{([^}]*)\}", text)}
    return set(re.findall(r"\w+", re.sub(r"\{[^}]*\}", "", text))), inside


def _modules(folder: Path) -> set[str]:
    found = {path.stem for path in folder.iterdir() if path.is_dir() or path.suffix == ".py"}
    return found - _IN_EVERY_APP


def test_the_map_lists_every_package() -> None:
    assert set(_map_of_the_tree()) == {*PACKAGES} | _OTHER_FOLDERS


def test_the_layers_of_the_page_are_those_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [set(layer.split(" | ")) for layer in contracts[0]["layers"]]
    listed = re.findall(r"^(\w+)", _section("Layers"), re.MULTILINE)
    assert set(listed) == set().union(*layers)
    positions = [next(n for n, layer in enumerate(layers) if package in layer) for package in listed]
    assert positions == sorted(positions)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_map_equals_the_modules_of_a_package(package: str) -> None:
    folder = ROOT / package
    commands = {path.stem for path in folder.glob("management/commands/[a-z]*.py")}
    named, inside = _names(_map_of_the_tree()[package])
    assert named == _modules(folder) | commands
    for subfolder, names in inside.items():
        assert names == _modules(folder / subfolder), subfolder


@cache
def _definitions() -> dict[str, set[str]]:
    """Return the names that each module defines or imports at its top level, by its dotted path."""
    found: dict[str, set[str]] = {}
    for path in source_files():
        dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        names: set[str] = set()
        for node in syntax_tree(path).body:
            match node:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    names.add(name)
                case ast.Assign(targets=targets):
                    names |= {target.id for target in targets if isinstance(target, ast.Name)}
                case ast.AnnAssign(target=ast.Name(id=name)):
                    names.add(name)
                case ast.ImportFrom(names=aliases):
                    names |= {alias.asname or alias.name for alias in aliases}
        found[dotted] = names
    return found


def _exists(reference: str) -> bool:
    """True if `reference` is the end of a module's path, or of a module's path and a name defined there."""
    before, _, last = reference.rpartition(".")
    return any(
        f".{module}".endswith(f".{reference}") or (f".{module}".endswith(f".{before}") and last in names)
        for module, names in _definitions().items()
    )


@cache
def _rule_names() -> set[str]:
    """Return the texts assigned to `name` in a class: backfill rules are named like `app.rule`."""
    return {
        node.value.value
        for path in source_files()
        for node in ast.walk(syntax_tree(path))
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "name"
        and isinstance(node.value, ast.Constant)
    }


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_modules_and_functions_in_pages_exist(page: Path) -> None:
    references = re.findall(r"`([a-z_]+(?:\.\w+)+)(?:\([^`]*\))?`", page.read_text())
    ours = [name for name in references if not re.search(r"\.(py|json|toml|yml|txt|md|html|jsonl|csv)$", name)]
    ours = [name for name in ours if not name.startswith((*_FOREIGN, *_EVENTS)) and name not in _rule_names()]
    assert not [name for name in ours if not _exists(name)]


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text())
    assert not [target for target in targets if not (page.parent / target).exists()]


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_commands_in_pages_exist(page: Path) -> None:
    named = set(re.findall(r"manage\.py (\w+)", page.read_text())) | {
        name for line in re.findall(r"commands?: ([\w, ]+)", page.read_text()) for name in re.findall(r"\w+_\w+", line)
    }
    ours = {path.stem for path in ROOT.glob("*/management/commands/*.py")}
    assert named <= ours | {"createsuperuser", "makemigrations", "migrate"}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_files_and_make_targets_in_pages_exist(page: Path) -> None:
    text = page.read_text()
    paths = re.findall(r"`((?:\w+/)+[\w.-]+\.(?:py|json|toml|yml|sql|md))`", text)
    assert not [path for path in paths if not (ROOT / path).exists()]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([\w-]+)", text)) <= targets


def test_the_search_for_references_finds_modules_and_their_names() -> None:
    assert _exists("assets.models")
    assert _exists("assets.models.Asset")
    assert _exists("models.Asset")
    assert not _exists("assets.models.Nothing")
    assert not _exists("assets.nothing")
