"""ARCHITECTURE.md and the other pages name what is there."""

import re
from pathlib import Path

import pytest

from tests.support.source_tree import PACKAGES, ROOT, project_files, shown

_IN_EVERY_APP = {"__init__", "apps", "migrations", "management", "__pycache__"}
_PLAIN_WORDS = re.compile(r"\([^)]*\)|commands?:|;.*")
PAGES = sorted(path for path in project_files() if path.suffix == ".md")


def _map_of_the_tree() -> dict[str, str]:
    """Return the text that ARCHITECTURE.md has for each package."""
    tree = (ROOT / "ARCHITECTURE.md").read_text().partition("## The tree")[2].split("```")[1]
    entries = re.split(r"^(\w+)/ ", tree, flags=re.MULTILINE)
    return dict(zip(entries[1::2], entries[2::2], strict=True))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_map_equals_the_modules_of_a_package(package: str) -> None:
    folder = ROOT / package
    modules = {path.stem for path in folder.iterdir() if path.is_dir() or path.suffix == ".py"} - _IN_EVERY_APP
    commands = {path.stem for path in folder.glob("management/commands/[a-z]*.py")}
    submodules = {path.stem for path in folder.rglob("*.py")}
    named = set(re.findall(r"\w+", _PLAIN_WORDS.sub("", _map_of_the_tree()[package]) + "\n"))
    assert not (modules | commands) - named - {"waffle_flag", "waffle_delete"}
    assert not named - modules - commands - submodules


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
    paths = re.findall(r"`((?:\w+/)+[\w.-]+\.(?:py|json|toml|yml))`", text)
    assert not [path for path in paths if not (ROOT / path).exists()]
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make (\w+)", text)) <= targets
