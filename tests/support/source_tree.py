"""The files of the project, for tests that read the source."""

import ast
import os
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES: tuple[str, ...] = tuple(
    tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
)
_NOT_OURS = frozenset({".git", ".venv", "var", "staticfiles", "node_modules", "__pycache__", "htmlcov", ".env"})


def project_files() -> Iterator[Path]:
    """Yield the files under version control, judged by their names: none that are installed, generated or private."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(n for n in folders if n not in _NOT_OURS and (not n.startswith(".") or n == ".ci"))
        yield from (Path(folder, name) for name in sorted(names) if name not in _NOT_OURS)


def source_files() -> list[Path]:
    """Return the Python files of the packages, without migrations."""
    files = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return [path for path in files if "migrations" not in path.parts]


def files_of_tests() -> list[Path]:
    return sorted((ROOT / "tests").rglob("*.py"))


@cache
def syntax_tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
