"""Files contain no paths of one machine, no package mirrors and no tasks without an issue."""

import re

from tests.support.source_tree import project_files, shown

# Concatenated, so that the patterns do not match this file.
_FOLDERS = "|".join(["home", "Users", "root", "work", "workspace", "workspaces", "private", "mnt"])
_MACHINE_PATH = re.compile(
    rf"(?<![\w.~$}})/*-])/(?:{_FOLDERS})/[\w.-]+|(?<![\w.-])/" + r"tmp/[\w.-]+|[A-Z]:\\" + "Users"
)
_PACKAGE_MIRROR = re.compile(
    r"--(?:extra-)?index-" + r"url|--trusted-" + r"host|artifact" + r"ory|jfr" + r"og|/simple/?\b(?=\s|$)"
)
_CONTAINER_FILES = {"Dockerfile", "docker-compose.yml"}  # their paths are inside the container
_SIGNED = re.compile(r"Co-authored" + r"-by:|\bTO" + r"DO\b(?! #\d)")


def _lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in project_files():
        if path.name in _CONTAINER_FILES:
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:  # an image or a video
            continue
        found += [
            f"{shown(path)}:{n} {m[0]}" for n, line in enumerate(text.splitlines(), 1) if (m := pattern.search(line))
        ]
    return found


def test_no_file_names_a_path_of_one_machine() -> None:
    assert not _lines_with(_MACHINE_PATH)


def test_no_file_names_a_package_mirror() -> None:
    assert not _lines_with(_PACKAGE_MIRROR)


def test_no_file_has_a_signature_or_a_task_without_an_issue() -> None:
    assert not _lines_with(_SIGNED)


def test_requirements_contain_only_names_versions_and_hashes() -> None:
    lists = [path for path in project_files() if re.fullmatch(r"requirements.*\.txt", path.name)]
    assert lists
    assert not [shown(path) for path in lists if "://" in path.read_text()]
