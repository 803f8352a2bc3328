"""Recorded requests of legacy clients, and the shapes of the responses with all flags off. Read from `contracts/`."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import NotFound

_STORIES = ("frontend", "recommendation_service")
_LISTS = ("asset_page", "asset_array")
_METADATA = "metadata"  # the only response about an asset without a schema in the contract
_FREE_FORM_KEYS = ("trainingData", "rights")  # clients store any JSON in these
_MAX_DIFFERENCES = 3

# Path of an object in a response, e.g. "asset_page.data.items[]" -> the recorded lists of its keys, in order.
Shapes = Mapping[str, frozenset[tuple[str, ...]]]


@dataclass(frozen=True)
class ListRequest:
    """A list or search request of a legacy client."""

    path: str
    is_service: bool

    @property
    def kind(self) -> str:
        return "asset_array" if self.is_service else "asset_page"


@dataclass(frozen=True)
class RecordedContract:
    lists: tuple[ListRequest, ...]
    shapes: Shapes


def read_recorded(folder: Path) -> RecordedContract:
    """Read requests and recordings. Raises NotFound if the folder has no recordings."""
    lists: dict[ListRequest, None] = {}
    shapes: dict[str, frozenset[tuple[str, ...]]] = {}
    try:
        for story in _STORIES:
            for step, recording in _steps(folder, story):
                kind = step.get("schema", _METADATA)
                if kind in _LISTS:
                    lists[ListRequest(step["path"], step["as"] == "service")] = None
                for path, keys in _objects(kind, json.loads(recording["body"])):
                    shapes[path] = shapes.get(path, frozenset()) | {keys}
    except FileNotFoundError as error:
        raise NotFound(f"the recorded responses are missing: {error.filename}") from error
    return RecordedContract(tuple(lists), shapes)


def shape_differences(kind: str, body: Any, shapes: Shapes, *, shown_keys: Collection[str] = ()) -> list[str]:
    """Return how the keys of a response differ from the recorded ones, once per path. `shown_keys` are ignored."""
    differences: dict[str, None] = {}
    for path, keys in _objects(kind, body, leave_out=shown_keys):
        recorded = shapes.get(path)
        if recorded is None:
            parent, _, key = path.removesuffix("[]").rpartition(".")
            if any(key in known for known in shapes.get(parent, ())):  # else the parent has the unexpected key
                differences[f"{path} was never recorded as an object"] = None
        elif keys not in recorded:
            differences[f"{path} {_difference(keys, set().union(*recorded))}"] = None
    return list(differences)[:_MAX_DIFFERENCES]


def _steps(folder: Path, story: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the successful reads of assets with their recordings."""
    requests = json.loads((folder / "requests" / f"{story}.json").read_text())
    recordings = json.loads((folder / "recordings" / f"{story}.json").read_text())
    by_title = {recording["title"]: recording for recording in recordings}
    for step in requests:
        is_known_kind = step.get("schema") in (*_LISTS, "asset") or step["path"].endswith("/metadata")
        if step["method"] == "GET" and step["status"] == 200 and is_known_kind:
            yield step, by_title[step["title"]]


def _objects(path: str, value: Any, *, leave_out: Collection[str] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the path and the keys of every object in a response."""
    if isinstance(value, list):
        for item in value:
            yield from _objects(f"{path}[]", item, leave_out=leave_out)
    elif isinstance(value, dict):
        yield path, tuple(key for key in value if key not in leave_out)
        for key, item in value.items():
            if key not in _FREE_FORM_KEYS and key not in leave_out:
                yield from _objects(f"{path}.{key}", item, leave_out=leave_out)


def _difference(keys: Collection[str], known: set[str]) -> str:
    added, missing = [key for key in keys if key not in known], sorted(known - set(keys))
    parts = [f"has the unexpected keys {', '.join(added)}"] if added else []
    parts += [f"lacks the keys {', '.join(missing)}"] if missing else []
    return " and ".join(parts) or "has its keys in another order"
