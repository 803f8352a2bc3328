"""The taxonomy as a JSON document: validation, canonical form, comparison. Pure.

    {"version": "1.3.0",
     "layers": [{"code": "L", "numeric": 3, "name": "Looks", "categories": [
         {"code": "CAS", "numeric": "004", "name": "Casual", "subcategories": [
             {"code": "ATL", "numeric": "004", "name": "Athleisure", "description": "optional"}]}]}],
     "aliases": {"G.POP.SWIFT": "G.POP.TSW"}, "legacy_codes": {...}, "deprecated": [...]}

Keys other than `version` and `layers` are kept unchanged and in order.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from common.errors import FieldErrorDetail, InvalidInput
from common.text_validation import clean_text, validate_json
from taxonomy.addresses import LAYER_NUMBERS, shorten
from taxonomy.errors import InvalidDocument
from taxonomy.normalization import (
    CODE_RULE,
    MAX_DESCRIPTION_LENGTH,
    MAX_NAME_LENGTH,
    NUMBER_RULE,
    is_code,
    is_number,
    normalize_name,
)

# 30 characters of the 40 in the column, because later versions append a number.
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,29}", re.ASCII)
_MAX_ERRORS = 1000  # more than a real taxonomy has nodes
_CHILDREN = {"layers": "categories", "categories": "subcategories"}

Document = dict[str, Any]
# Codes of (layer, category, subcategory), "" below the level of the node.
NodePath = tuple[str, str, str]
Errors = list[FieldErrorDetail]


@dataclass(frozen=True)
class NodeAttributes:
    """What a document has for one node besides its path."""

    number: int
    name: str
    description: str = ""


def clean_document(value: Any) -> Document:
    """Return the canonical form. Raises InvalidDocument with all errors (at most 1,000), each with its path."""
    if not isinstance(value, dict):
        raise InvalidDocument("A taxonomy document is a JSON object", field="document")
    try:
        validate_json(value, field="document")
    except InvalidInput as error:
        raise InvalidDocument(error.message, field="document") from error
    errors: Errors = []
    version = value.get("version")
    if not (isinstance(version, str) and _VERSION.fullmatch(version)):
        _add(errors, "version", "version must be a label such as 1.3.0")
    layers = list(_clean_level(value, "layers", "", errors))
    missing = set(LAYER_NUMBERS) - {layer["code"] for layer in layers if isinstance(layer["code"], str)}
    if missing and isinstance(value.get("layers"), list):
        _add(errors, "layers", f"layers lack {', '.join(sorted(missing))}")
    document = {"version": version, "layers": layers}
    document |= {key: extra for key, extra in value.items() if key not in document}
    if not errors:
        _validate_aliases(document, errors)
    if errors:
        count = f"{len(errors)} fault{'s' if len(errors) > 1 else ''}"  # the word is part of the API contract
        raise InvalidDocument(f"The taxonomy document has {count}", field_errors=errors[:_MAX_ERRORS])
    return document


def _add(errors: Errors, path: str, message: str) -> None:
    errors.append(FieldErrorDetail(path, message))


def _clean_level(parent: Any, key: str, parent_path: str, errors: Errors) -> Iterator[dict[str, Any]]:
    entries = parent.get(key)
    list_path = f"{parent_path}.{key}" if parent_path else key
    if not isinstance(entries, list):
        _add(errors, list_path, f"{list_path} must be a list")
        return
    seen: dict[tuple[str, Any], str] = {}
    for index, entry in enumerate(entries):
        if len(errors) > _MAX_ERRORS:
            return
        path = f"{list_path}[{index}]"
        if not isinstance(entry, dict):
            _add(errors, path, f"{path} must be an object")
            continue
        node = {
            "code": _clean_code(entry.get("code"), key, path, errors),
            "numeric": _clean_number(entry.get("numeric"), entry.get("code"), key, path, errors),
            "name": _clean_node_name(entry.get("name"), f"{path}.name", errors),
        }
        if key == "subcategories" and entry.get("description"):
            node["description"] = _clean_line(
                entry["description"], f"{path}.description", MAX_DESCRIPTION_LENGTH, errors
            )
        name_key = None if node["name"] is None else normalize_name(node["name"])
        for field, value in (("code", node["code"]), ("numeric", node["numeric"]), ("name", name_key)):
            if value is not None and seen.setdefault((field, value), path) != path:
                other = seen[field, value]
                _add(errors, f"{path}.{field}", f"{path}.{field} {shorten(value)} stands at {other} already")
        for extra in set(entry) - {"code", "numeric", "name", "description", _CHILDREN.get(key)}:
            _add(errors, f"{path}.{shorten(extra)}", f"{path} has an unknown key {shorten(extra)}")
        if key in _CHILDREN:
            node[_CHILDREN[key]] = list(_clean_level(entry, _CHILDREN[key], path, errors))
        yield node
    codes = {value: path for (field, value), path in seen.items() if field == "code"}
    for (field, value), path in seen.items():
        sibling = codes.get(value.upper()) if field == "name" else None
        if sibling not in (None, path):
            _add(errors, f"{path}.name", f"{path}.name is the code of {sibling}: neither could be told apart")


def _clean_code(value: Any, key: str, path: str, errors: Errors) -> str | None:
    code = value.strip().upper() if isinstance(value, str) else ""
    if key == "layers" and code not in LAYER_NUMBERS:
        _add(errors, f"{path}.code", f"{path}.code must be one of {' '.join(LAYER_NUMBERS)}")
        return None
    if key != "layers" and not is_code(code):
        _add(errors, f"{path}.code", f"{path}.code {CODE_RULE}, not {shorten(value)}")
        return None
    return code


def _clean_number(value: Any, code: Any, key: str, path: str, errors: Errors) -> Any:
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0
    if key == "layers":
        expected = LAYER_NUMBERS.get(code.strip().upper(), number) if isinstance(code, str) else number
        if number != expected or not number:
            _add(errors, f"{path}.numeric", f"{path}.numeric must be {expected or '1 to 10'}")
            return None
        return number
    if not is_number(number):
        _add(errors, f"{path}.numeric", f"{path}.numeric {NUMBER_RULE}, not {shorten(value)}")
        return None
    return f"{number:03d}"


def _clean_line(value: Any, path: str, max_length: int, errors: Errors) -> str | None:
    try:
        text = clean_text(value, field=path, max_length=max_length, is_single_line=True).strip()
    except InvalidInput as error:
        _add(errors, path, error.message)
        return None
    if not text:
        _add(errors, path, f"{path} is empty")
        return None
    return text


def _clean_node_name(value: Any, path: str, errors: Errors) -> str | None:
    name = _clean_line(value, path, MAX_NAME_LENGTH, errors)
    if name and name.isdigit():
        _add(errors, path, f"{path} is a number: it could not be told from a node's own")
    return name


def _validate_aliases(document: Document, errors: Errors) -> None:
    aliases = document.get("aliases", {})
    if not isinstance(aliases, dict):
        _add(errors, "aliases", "aliases must be an object")
        return
    paths = {".".join(path) for path in nodes_by_path(document) if path[2]}
    for alias, target in aliases.items():
        if not isinstance(target, str) or target.upper() not in paths:
            message = f"aliases.{shorten(alias)} leads to {shorten(target)}, which is no subcategory"
            _add(errors, "aliases", message)


def serialize_document(document: Document) -> bytes:
    """Return the canonical bytes, with an indentation of one space as in the organization's own file."""
    return (json.dumps(document, indent=1, ensure_ascii=False)).encode()


def digest_of(document: Document) -> str:
    """Return the SHA-256 of everything but the version: equal digests mean equal taxonomies."""
    content = {key: value for key, value in document.items() if key != "version"}
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def nodes_by_path(document: Document) -> dict[NodePath, NodeAttributes]:
    """Return every node of all three levels."""
    nodes: dict[NodePath, NodeAttributes] = {}
    for layer in document["layers"]:
        nodes[layer["code"], "", ""] = NodeAttributes(int(layer["numeric"]), layer["name"])
        for category in layer["categories"]:
            nodes[layer["code"], category["code"], ""] = NodeAttributes(int(category["numeric"]), category["name"])
            for sub in category["subcategories"]:
                nodes[layer["code"], category["code"], sub["code"]] = NodeAttributes(
                    int(sub["numeric"]), sub["name"], sub.get("description", "")
                )
    return nodes


def diff_documents(before: Document | None, after: Document) -> list[dict[str, str]]:
    """Return [{type: added|modified|removed, layer, category, subcategory}], sorted by codes."""
    old = nodes_by_path(before) if before else {}
    new = nodes_by_path(after)
    changes = []
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            kind = "added" if path not in old else "removed" if path not in new else "modified"
            changes.append({"type": kind, "layer": path[0], "category": path[1], "subcategory": path[2]})
    return changes


def next_label(label: str) -> str:
    """Increment the number at the end (1.3.0 -> 1.3.1), or append one."""
    match = re.fullmatch(r"(.*?)(\d+)", label)
    return f"{match[1]}{int(match[2]) + 1}" if match else f"{label}.1"
