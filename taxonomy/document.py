"""The taxonomy as a document: checked as a whole, written in one canonical form, compared. Pure.

    {"version": "1.3.0",
     "layers": [{"code": "L", "numeric": 3, "name": "Looks", "categories": [
         {"code": "CAS", "numeric": "004", "name": "Casual", "subcategories": [
             {"code": "ATL", "numeric": "004", "name": "Athleisure", "description": "optional"}]}]}],
     "aliases": {"G.POP.SWIFT": "G.POP.TSW"}, "legacy_codes": {...}, "deprecated": [...]}

What stands beside `version` and `layers` is kept as it came, in its order.
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

CODE = re.compile(r"[A-Z0-9]{3}", re.ASCII)
# Ten characters short of what the column holds: later versions count on from here.
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,29}", re.ASCII)
_MAX_NAME_CHARS = 100
_MAX_DESCRIPTION_CHARS = 500
_MAX_FAULTS = 1000  # every node of a real taxonomy may have one; what goes on is no taxonomy
_CHILDREN = {"layers": "categories", "categories": "subcategories"}

Document = dict[str, Any]
# (layer, category, subcategory) by code; "" for a level that is not meant.
NodePath = tuple[str, str, str]


@dataclass(frozen=True)
class NodeAttributes:
    """What a document says of one node beside its place."""

    number: int
    name: str
    description: str = ""


def clean_document(value: Any) -> Document:
    """The canonical form of a document. Raises InvalidDocument with every fault (up to 1,000), each at its path."""
    if not isinstance(value, dict):
        raise InvalidDocument("A taxonomy document is a JSON object", field="document")
    try:
        validate_json(value, field="document")
    except InvalidInput as error:
        raise InvalidDocument(error.message, field="document") from error
    field_errors: list[FieldErrorDetail] = []
    version = value.get("version")
    if not (isinstance(version, str) and _VERSION.fullmatch(version)):
        field_errors.append(FieldErrorDetail("version", "version must be a label such as 1.3.0"))
    layers = list(_check_level(value, "layers", "", field_errors))
    missing = set(LAYER_NUMBERS) - {layer["code"] for layer in layers if isinstance(layer["code"], str)}
    if missing and isinstance(value.get("layers"), list):
        field_errors.append(FieldErrorDetail("layers", f"layers lack {', '.join(sorted(missing))}"))
    document = {"version": version, "layers": layers}
    document |= {key: rest for key, rest in value.items() if key not in document}
    if not field_errors:
        _check_aliases(document, field_errors)
    if field_errors:
        count = f"{len(field_errors)} fault{'s' if len(field_errors) > 1 else ''}"
        raise InvalidDocument(f"The taxonomy document has {count}", field_errors=field_errors[:_MAX_FAULTS])
    return document


def _check_level(parent: Any, key: str, path: str, field_errors: list[FieldErrorDetail]) -> Iterator[dict[str, Any]]:
    entries = parent.get(key)
    here = f"{path}.{key}" if path else key
    if not isinstance(entries, list):
        field_errors.append(FieldErrorDetail(here, f"{here} must be a list"))
        return
    seen: dict[tuple[str, Any], str] = {}
    for index, entry in enumerate(entries):
        if len(field_errors) > _MAX_FAULTS:
            return
        spot = f"{here}[{index}]"
        if not isinstance(entry, dict):
            field_errors.append(FieldErrorDetail(spot, f"{spot} must be an object"))
            continue
        node = {
            "code": _check_code(entry.get("code"), key, spot, field_errors),
            "numeric": _check_number(entry.get("numeric"), entry.get("code"), key, spot, field_errors),
            "name": _check_node_name(entry.get("name"), f"{spot}.name", field_errors),
        }
        if key == "subcategories" and entry.get("description"):
            node["description"] = _check_name(
                entry["description"], f"{spot}.description", _MAX_DESCRIPTION_CHARS, field_errors
            )
        for field, value in (
            ("code", node["code"]),
            ("numeric", node["numeric"]),
            ("name", normalize_name(node["name"])),
        ):
            if value is not None and seen.setdefault((field, value), spot) != spot:
                field_errors.append(
                    FieldErrorDetail(
                        f"{spot}.{field}", f"{spot}.{field} {shorten(value)} stands at {seen[field, value]} already"
                    )
                )
        for extra in set(entry) - {"code", "numeric", "name", "description", _CHILDREN.get(key)}:
            field_errors.append(
                FieldErrorDetail(f"{spot}.{shorten(extra)}", f"{spot} has an unknown key {shorten(extra)}")
            )
        if key in _CHILDREN:
            node[_CHILDREN[key]] = list(_check_level(entry, _CHILDREN[key], spot, field_errors))
        yield node
    codes = {value: spot for (field, value), spot in seen.items() if field == "code"}
    for (field, value), spot in seen.items():
        other = codes.get(value.upper()) if field == "name" else None
        if other not in (None, spot):
            field_errors.append(
                FieldErrorDetail(f"{spot}.name", f"{spot}.name is the code of {other}: neither could be told apart")
            )


def _check_code(value: Any, key: str, spot: str, field_errors: list[FieldErrorDetail]) -> str | None:
    code = value.strip().upper() if isinstance(value, str) else ""
    if key == "layers" and code not in LAYER_NUMBERS:
        field_errors.append(FieldErrorDetail(f"{spot}.code", f"{spot}.code must be one of {' '.join(LAYER_NUMBERS)}"))
        return None
    if key != "layers" and not is_code(code):
        message = f"{spot}.code must be three letters or digits, one of them a letter, not {shorten(value)}"
        field_errors.append(FieldErrorDetail(f"{spot}.code", message))
        return None
    return code


def _check_number(value: Any, code: Any, key: str, spot: str, field_errors: list[FieldErrorDetail]) -> Any:
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0
    if key == "layers":
        expected = LAYER_NUMBERS.get(code.strip().upper(), number) if isinstance(code, str) else number
        if number != expected or not number:
            field_errors.append(FieldErrorDetail(f"{spot}.numeric", f"{spot}.numeric must be {expected or '1 to 10'}"))
            return None
        return number
    if not 1 <= number <= 999:
        field_errors.append(
            FieldErrorDetail(f"{spot}.numeric", f"{spot}.numeric must be 001 to 999, not {shorten(value)}")
        )
        return None
    return f"{number:03d}"


def _check_name(value: Any, spot: str, max_chars: int, field_errors: list[FieldErrorDetail]) -> str | None:
    try:
        text = clean_text(value, field=spot, max_length=max_chars, is_single_line=True).strip()
    except InvalidInput as error:
        field_errors.append(FieldErrorDetail(spot, error.message))
        return None
    if not text:
        field_errors.append(FieldErrorDetail(spot, f"{spot} is empty"))
        return None
    return text


def _check_node_name(value: Any, spot: str, field_errors: list[FieldErrorDetail]) -> str | None:
    name = _check_name(value, spot, _MAX_NAME_CHARS, field_errors)
    if name and name.isdigit():
        field_errors.append(FieldErrorDetail(spot, f"{spot} is a number: it could not be told from a node's own"))
    return name


def _check_aliases(document: Document, field_errors: list[FieldErrorDetail]) -> None:
    aliases = document.get("aliases", {})
    if not isinstance(aliases, dict):
        field_errors.append(FieldErrorDetail("aliases", "aliases must be an object"))
        return
    paths = {".".join(path) for path in nodes_by_path(document) if path[2]}
    for alias, target in aliases.items():
        if not isinstance(target, str) or target.upper() not in paths:
            field_errors.append(
                FieldErrorDetail(
                    "aliases", f"aliases.{shorten(alias)} leads to {shorten(target)}, which is no subcategory"
                )
            )


def is_code(text: str) -> bool:
    """Three letters or digits. Digits alone would read as a number, and a name as an address."""
    return bool(CODE.fullmatch(text)) and not text.isdigit()


def normalize_name(name: str | None) -> str | None:
    """Case, `-`, `_` and spaces make no difference between names."""
    return None if name is None else name.casefold().replace("-", "_").replace(" ", "_")


def serialize_document(document: Document) -> bytes:
    """The canonical bytes: one-space indentation, as the organisation keeps its own file."""
    return (json.dumps(document, indent=1, ensure_ascii=False)).encode()


def digest_of(document: Document) -> str:
    """SHA-256 of everything but the version: two documents of one digest mean the same taxonomy."""
    content = {key: value for key, value in document.items() if key != "version"}
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def nodes_by_path(document: Document) -> dict[NodePath, NodeAttributes]:
    """Every node of all three levels, by its codes."""
    facts: dict[NodePath, NodeAttributes] = {}
    for layer in document["layers"]:
        facts[layer["code"], "", ""] = NodeAttributes(int(layer["numeric"]), layer["name"])
        for category in layer["categories"]:
            facts[layer["code"], category["code"], ""] = NodeAttributes(int(category["numeric"]), category["name"])
            for sub in category["subcategories"]:
                facts[layer["code"], category["code"], sub["code"]] = NodeAttributes(
                    int(sub["numeric"]), sub["name"], sub.get("description", "")
                )
    return facts


def diff_documents(before: Document | None, after: Document) -> list[dict[str, str]]:
    """[{type: added|modified|removed, layer, category, subcategory}], in the order of the codes."""
    old = nodes_by_path(before) if before else {}
    new = nodes_by_path(after)
    changes = []
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            kind = "added" if path not in old else "removed" if path not in new else "modified"
            changes.append({"type": kind, "layer": path[0], "category": path[1], "subcategory": path[2]})
    return changes


def next_label(label: str) -> str:
    """1.3.0 -> 1.3.1; a label without a number at its end gets one."""
    match = re.fullmatch(r"(.*?)(\d+)", label)
    return f"{match[1]}{int(match[2]) + 1}" if match else f"{label}.1"
