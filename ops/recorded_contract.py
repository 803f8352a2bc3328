"""What old clients ask, and which form their answers have while every flag is off: read from `contracts/`."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import NotFound

_STORIES = ("frontend", "recommendation_service")
_LISTS = ("asset_page", "asset_array")
_METADATA = "metadata"  # the one answer about an asset that the contract keeps no schema of
# Whoever registers an asset puts into these whatever they like.
_FREE = ("trainingData", "rights")
_MAX_SHOWN_ERRORS = 3

# A level of an answer, such as "asset_page.data.items[]" -> the lists of keys it was recorded with, in their order.
Shapes = Mapping[str, frozenset[tuple[str, ...]]]


@dataclass(frozen=True)
class ListRequest:
    """A list or a search as an old client asks it."""

    path: str
    is_service: bool

    @property
    def kind(self) -> str:
        return "asset_array" if self.is_service else "asset_page"


@dataclass(frozen=True)
class RecordedContract:
    lists: tuple[ListRequest, ...]
    forms: Shapes


def read_recorded(folder: Path) -> RecordedContract:
    """Raises Missing where the recorded answers are not beside the program."""
    lists: dict[ListRequest, None] = {}
    forms: dict[str, frozenset[tuple[str, ...]]] = {}
    try:
        for story in _STORIES:
            for step, answer in _steps(folder, story):
                kind = step.get("schema", _METADATA)
                if kind in _LISTS:
                    lists[ListRequest(step["path"], step["as"] == "service")] = None
                for level, keys in _levels(kind, json.loads(answer["body"])):
                    forms[level] = forms.get(level, frozenset()) | {keys}
    except FileNotFoundError as error:
        raise NotFound(f"the recorded answers are not there: {error.filename}") from error
    return RecordedContract(tuple(lists), forms)


def shape_differences(kind: str, body: Any, forms: Shapes, *, shown_keys: Collection[str] = ()) -> list[str]:
    """Where the answer's keys differ from the recorded ones, each level once; `shown_keys` may come on top."""
    field_errors: dict[str, None] = {}
    for level, keys in _levels(kind, body, leave_out=shown_keys):
        recorded = forms.get(level)
        if recorded is None:
            parent, _, key = level.removesuffix("[]").rpartition(".")
            if any(key in known for known in forms.get(parent, ())):  # else the key itself is the fault, one level up
                field_errors[f"{level} was never recorded as an object"] = None
        elif keys not in recorded:
            field_errors[f"{level} has {_difference(keys, set().union(*recorded))}"] = None
    return list(field_errors)[:_MAX_SHOWN_ERRORS]


def _steps(folder: Path, story: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The reads of assets that were answered, each with its answer."""
    requests = json.loads((folder / "requests" / f"{story}.json").read_text())
    answers = json.loads((folder / "recordings" / f"{story}.json").read_text())
    by_title = {answer["title"]: answer for answer in answers}
    for step in requests:
        kind_is_known = step.get("schema") in (*_LISTS, "asset") or step["path"].endswith("/metadata")
        if step["method"] == "GET" and step["status"] == 200 and kind_is_known:
            yield step, by_title[step["title"]]


def _levels(level: str, value: Any, *, leave_out: Collection[str] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every object of the answer: where it stands, and its keys."""
    if isinstance(value, list):
        for item in value:
            yield from _levels(f"{level}[]", item, leave_out=leave_out)
    elif isinstance(value, dict):
        yield level, tuple(key for key in value if key not in leave_out)
        for key, item in value.items():
            if key not in _FREE and key not in leave_out:
                yield from _levels(f"{level}.{key}", item, leave_out=leave_out)


def _difference(keys: Collection[str], known: set[str]) -> str:
    more, less = [key for key in keys if key not in known], sorted(known - set(keys))
    if not (more or less):
        return "its keys in another order"
    return f"{', '.join(more) or 'nothing'} on top, lacks {', '.join(less) or 'nothing'}"
