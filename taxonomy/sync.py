"""Import and export of taxonomy documents, and the one function that changes the tables and records a version."""

import json
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import IntegrityError, connection, transaction

from accounts.models import User
from taxonomy.document import (
    Document,
    NodeAttributes,
    NodePath,
    clean_document,
    diff_documents,
    digest_of,
    next_label,
    nodes_by_path,
    serialize_document,
)
from taxonomy.errors import NodeInUse, TaxonomyNotLoaded
from taxonomy.models import Category, Layer, Subcategory, TaxonomyVersion
from taxonomy.usage import usage_counts

log = logging.getLogger(__name__)

_STARTER_DOCUMENT = Path(__file__).parent / "starter" / "taxonomy.json"


@dataclass(frozen=True)
class ImportResult:
    """The changes an import made or, on a dry run, would make."""

    version: str
    is_changed: bool
    changes: list[dict[str, str]] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return sum(1 for change in self.changes if change["type"] == kind)


class _DryRun(Exception):
    """Rolls back the transaction of a dry run."""


def import_document(value: Any, *, by: User | None, now: datetime, dry_run: bool = False) -> ImportResult:
    """Replace the taxonomy with the document. A document with the current digest changes nothing.

    Raises InvalidDocument with all errors, NodeInUse if it removes or changes nodes that assets use.
    """
    document = clean_document(value)
    result: ImportResult | None = None

    def apply(before: Document | None) -> None:
        _reject_changes_in_use(before, document)
        _write_tables(document)

    try:
        with transaction.atomic():
            result = apply_change(
                apply, by=by, now=now, origin=TaxonomyVersion.Origin.IMPORT, extras=document, target=document
            )
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    assert result is not None  # noqa: S101  # only an exception leaves it unset
    return result


def install_starter_taxonomy(*, now: datetime) -> ImportResult | None:
    """Import the taxonomy that ships with the project, unless one exists."""
    if TaxonomyVersion.objects.exists():
        return None
    return import_document(json.loads(_STARTER_DOCUMENT.read_bytes()), by=None, now=now)


def export_document() -> bytes:
    """Return the current document in its canonical bytes; importing them changes nothing. Raises TaxonomyNotLoaded."""
    version = TaxonomyVersion.objects.current()
    if version is None:
        raise TaxonomyNotLoaded("There is no taxonomy yet; import one")
    return version.document.encode()


def changes_between(base: TaxonomyVersion | None, current: TaxonomyVersion | None) -> list[dict[str, str]]:
    """Return the changes from `base` to `current`. Without a base, every node is an added one."""
    if current is None or (base and base.digest == current.digest):
        return []
    return diff_documents(json.loads(base.document) if base else None, json.loads(current.document))


@transaction.atomic
def apply_change(
    apply: Callable[[Document | None], None],
    *,
    by: User | None,
    now: datetime,
    origin: TaxonomyVersion.Origin,
    extras: Document | None = None,
    target: Document | None = None,
) -> ImportResult:
    """Run `apply` on the tables and record the new version. Changes run one after another.

    `extras` has the keys of the document besides the layers (default: those of the current version). `target` is the
    document to reach: it gives the label, and nothing runs if its digest is the current one. Raises InvalidDocument if
    the tables no longer make a valid document, such as an alias of a deleted node.
    """
    _lock_versions()
    current = TaxonomyVersion.objects.current()
    before = json.loads(current.document) if current else None
    if current and target and digest_of(target) == current.digest:
        return ImportResult(current.label, is_changed=False)
    _apply_with_constraints(apply, before)
    after = clean_document(read_tables(extras if extras is not None else before or {}))
    digest = digest_of(after)
    if current and digest == current.digest:
        return ImportResult(current.label, is_changed=False)
    after["version"] = _unused_label(target["version"] if target else None, current)
    changes = diff_documents(before, after)
    version = TaxonomyVersion.objects.create(
        label=after["version"],
        digest=digest,
        document=serialize_document(after).decode(),
        changes=changes,
        origin=origin,
        created_by=by,
        created_at=now,
    )
    log.info("taxonomy changed", extra={"version": version.label, "changes": len(changes)})
    return ImportResult(version.label, is_changed=True, changes=changes)


def read_tables(extras: Document) -> Document:
    """Build the document from the tables; its other keys come from `extras`."""
    layers: list[dict[str, Any]] = []
    categories: dict[int, dict[str, Any]] = {}
    for layer in Layer.objects.order_by("number").prefetch_related("categories"):
        entry: dict[str, Any] = {"code": layer.code, "numeric": layer.number, "name": layer.name, "categories": []}
        layers.append(entry)
        for category in sorted(layer.categories.all(), key=lambda row: row.number):
            categories[category.pk] = _node_entry(category.code, category.number, category.name)
            categories[category.pk]["subcategories"] = []
            entry["categories"].append(categories[category.pk])
    for sub in Subcategory.objects.order_by("number"):
        node = _node_entry(sub.code, sub.number, sub.name)
        if sub.description:
            node["description"] = sub.description
        categories[sub.category_id]["subcategories"].append(node)
    other_keys = {key: value for key, value in extras.items() if key not in ("version", "layers")}
    return {"version": extras.get("version", "1.0.0"), "layers": layers, **other_keys}


def _node_entry(code: str, number: int, name: str) -> dict[str, Any]:
    return {"code": code, "numeric": f"{number:03d}", "name": name}


def _lock_versions() -> None:
    """Make concurrent changes wait for this transaction; the lock mode lets readers pass."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE taxonomy_taxonomyversion IN SHARE ROW EXCLUSIVE MODE")


def _apply_with_constraints(apply: Callable[[Document | None], None], before: Document | None) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            apply(before)
            # Check deferred constraints here, because at the commit the error could not become a message.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    except IntegrityError as error:
        log.warning("taxonomy change rejected by a constraint", exc_info=error)
        raise NodeInUse("The taxonomy changed while you were editing. Reload and try again.") from error


def _unused_label(requested: str | None, current: TaxonomyVersion | None) -> str:
    label = requested or next_label(current.label if current else "1.0.0")
    while TaxonomyVersion.objects.filter(label=label).exists():
        label = next_label(label)
    return label


def _reject_changes_in_use(before: Document | None, after: Document) -> None:
    if not before:
        return
    used = used_paths()
    old, new = nodes_by_path(before), nodes_by_path(after)
    changed: Counter[NodePath] = Counter()
    for path, count in sorted(used.items()):
        for level in ((path[0], path[1], ""), path):
            if _identity(old.get(level)) != _identity(new.get(level)):
                changed[level] += count
                break
    if changed:
        nodes_in_use = [
            f"{'alters' if level in new else 'removes'} {'.'.join(filter(None, level))} ({format_asset_count(count)})"
            for level, count in changed.items()
        ]
        more = f"; and {len(nodes_in_use) - 20} more" if len(nodes_in_use) > 20 else ""
        shown = "; ".join(nodes_in_use[:20]) + more
        raise NodeInUse(f"The document changes {len(nodes_in_use)} nodes that assets use: {shown}", field="document")


def format_asset_count(count: int) -> str:
    return "1 asset" if count == 1 else f"{count} assets"


def used_paths() -> dict[NodePath, int]:
    """Return the number of rows for each subcategory that has any."""
    counts = {pk: count for pk, count in usage_counts().items() if count}
    rows = Subcategory.objects.filter(pk__in=counts).values_list(
        "pk", "category__layer__code", "category__code", "code"
    )
    return {(layer, category, code): counts[pk] for pk, layer, category, code in rows}


def _identity(node: NodeAttributes | None) -> tuple[int, str] | None:
    """Return what addresses and assets copy. The description is not among it, so it may always change."""
    return (node.number, node.name) if node else None


def _write_tables(document: Document) -> None:
    nodes = nodes_by_path(document)
    layers = {layer.code: layer for layer in Layer.objects.all()}
    categories = {(row.layer.code, row.code, ""): row for row in Category.objects.select_related("layer")}
    subcategories = {
        (row.category.layer.code, row.category.code, row.code): row
        for row in Subcategory.objects.select_related("category__layer")
    }
    Subcategory.objects.filter(pk__in=[row.pk for path, row in subcategories.items() if path not in nodes]).delete()
    Category.objects.filter(pk__in=[row.pk for path, row in categories.items() if path not in nodes]).delete()
    Layer.objects.filter(pk__in=[row.pk for code, row in layers.items() if (code, "", "") not in nodes]).delete()

    for path, node in nodes.items():
        if path[1] == "" and path[0] not in layers:
            layers[path[0]] = Layer.objects.create(code=path[0], number=node.number, name=node.name)
    _update_rows(Layer, {(code, "", ""): row for code, row in layers.items()}, nodes)
    _update_rows(Category, categories, nodes)
    new_categories = [
        Category(layer=layers[path[0]], code=path[1], number=node.number, name=node.name)
        for path, node in nodes.items()
        if path[1] and not path[2] and path not in categories
    ]
    for row in Category.objects.bulk_create(new_categories):
        categories[row.layer.code, row.code, ""] = row
    _update_rows(Subcategory, subcategories, nodes)
    Subcategory.objects.bulk_create(
        Subcategory(
            category=categories[path[0], path[1], ""],
            code=path[2],
            number=node.number,
            name=node.name,
            description=node.description,
        )
        for path, node in nodes.items()
        if path[2] and path not in subcategories
    )


def _update_rows(model: Any, rows: dict[NodePath, Any], nodes: dict[NodePath, NodeAttributes]) -> None:
    """Update changed rows. A renamed row gets a temporary name first, because siblings may swap theirs; numbers need
    none, because their constraint is deferred."""
    renamed = [row for path, row in rows.items() if path in nodes and row.name != nodes[path].name]
    for row in renamed:
        row.name = f"~{row.pk}"
    model.objects.bulk_update(renamed, ["name"])
    fields = ["number", "name"] + (["description"] if model is Subcategory else [])
    changed = []
    for path, row in rows.items():
        if path not in nodes or all(getattr(row, name) == getattr(nodes[path], name) for name in fields):
            continue
        for name in fields:
            setattr(row, name, getattr(nodes[path], name))
        changed.append(row)
    model.objects.bulk_update(changed, fields)
