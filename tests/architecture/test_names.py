"""Identifiers and texts of the product use the words of Django, not private ones."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support.source_tree import PACKAGES, ROOT, project_files, shown, source_files, syntax_tree

_BANNED = {"wish", "refusal", "fault", "keeper", "moment", "dice", "figures", "verb"}
_BANNED |= {"wishes", "refusals", "faults", "keepers", "moments", "verbs"}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# Words of texts that a reader who knows only Django has to translate. `keeper.lock` is the name of a file.
_METAPHORS = re.compile(
    r"\b(doors?|ladders?|the clock|lets? go|whoever|the house|keepers?(?!\.lock)|dice|refusals?|wish(es)?)\b",
    re.IGNORECASE,
)
_TEXT_FILES = {".html", ".js", ".css", ".txt", ".sql"}


def _words(identifier: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(identifier)}


def _identifiers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the names that a module defines: definitions, parameters, assignments, keywords and import aliases."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield line, name
            case ast.arg(arg=name) | ast.keyword(arg=str(name)) | ast.alias(asname=str(name)):
                yield line, name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield line, name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield line, name
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from ((line, name) for name in names)


def _texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def test_identifiers_contain_no_private_word() -> None:
    found = [
        f"{shown(path)}:{line} {name}"
        for path in source_files()
        for line, name in _identifiers(syntax_tree(path))
        if _words(name) & _BANNED
    ]
    assert not found, "\n".join(found)


def test_files_and_folders_contain_no_private_word() -> None:
    files = {path for package in PACKAGES for path in (ROOT / package).rglob("*") if "__pycache__" not in path.parts}
    found = sorted(shown(path) for path in files if "migrations" not in path.parts and _words(path.stem) & _BANNED)
    assert not found


def test_texts_and_comments_contain_no_metaphor() -> None:
    found = []
    for path in source_files():
        texts = list(_texts(syntax_tree(path)))
        texts += [
            (n, line.partition("#")[2]) for n, line in enumerate(path.read_text().splitlines(), 1) if "# " in line
        ]
        found += [f"{shown(path)}:{line} {match[0]}" for line, text in texts for match in _METAPHORS.finditer(text)]
    assert not found, "\n".join(found)


def test_templates_and_static_files_contain_no_metaphor() -> None:
    found = [
        f"{shown(path)} {match[0]}"
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*"))
        if path.suffix in _TEXT_FILES
        for match in _METAPHORS.finditer(path.read_text())
    ]
    assert not found, "\n".join(found)


def test_pages_contain_no_metaphor() -> None:
    pages = [path for path in project_files() if path.suffix == ".md"] + [ROOT / ".env.example"]
    found = [f"{shown(path)} {match[0]}" for path in pages for match in _METAPHORS.finditer(path.read_text())]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("default = 1; defaults = 2", set()),
        ("def verb_view(request): ...", {"verb_view"}),
        ("class RenderWish: ...", {"RenderWish"}),
        ("def f(*, wish=None): ...", {"wish"}),
        ("try:\n    f()\nexcept E as refusal: ...", {"refusal"}),
        ("self.last_fault = 1", {"last_fault"}),
        ("for one_moment in x: ...", {"one_moment"}),
        ("f(figures=1)", {"figures"}),
        ("FAULT_LINES: int = 1", {"FAULT_LINES"}),
        ("x = [dice for dice in y]", {"dice"}),
    ],
)
def test_the_search_for_private_words_finds_them(source: str, names: set[str]) -> None:
    assert {name for _, name in _identifiers(ast.parse(source)) if _words(name) & _BANNED} == names
