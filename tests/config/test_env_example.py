"""`.env.example` tells of every knob, and of none that does not exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READ_BY_GOOGLE = {"STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"}
SET_BY_PYTEST = {"PYTEST_XDIST_WORKER"}
LOOKUP = re.compile(r"""\benv(?:\.\w+|iron\.get)?\(\s*"([A-Z][A-Z0-9_]+)\"""")


def names_read_by_settings() -> set[str]:
    modules = [*(ROOT / "config" / "settings").glob("*.py"), *(ROOT / "devstack" / "embedded").glob("*.py")]
    return {name for module in modules for name in LOOKUP.findall(module.read_text())} - SET_BY_PYTEST


def names_read_by_compose() -> set[str]:
    return set(re.findall(r"\$\{([A-Z][A-Z0-9_]+)", (ROOT / "docker-compose.yml").read_text()))


def example_lines() -> list[str]:
    return (ROOT / ".env.example").read_text().splitlines()


def names_in_example() -> list[str]:
    return [match[1] for line in example_lines() if (match := re.match(r"#?([A-Z][A-Z0-9_]+)=", line))]


def test_names_every_knob_that_is_read_and_no_other():
    read = names_read_by_settings() | names_read_by_compose() | READ_BY_GOOGLE
    assert len(read) > 40
    assert set(names_in_example()) == read


def test_names_each_knob_once_under_one_line_that_explains_it():
    names = names_in_example()
    assert len(names) == len(set(names))
    lines = example_lines()
    for position, line in enumerate(lines):
        if re.match(r"#?[A-Z][A-Z0-9_]+=", line):
            assert re.match(r"# \S", lines[position - 1]), f"{line} is not explained"


def test_sets_nothing_so_that_a_fresh_copy_changes_nothing():
    assert [line for line in example_lines() if line and not line.startswith("#")] == []
