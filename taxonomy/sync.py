"""Bring the tables to the state of a document, and keep a version of every state there was."""

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

STARTER = Path(__file__).parent / "starter" / "taxonomy.json"


@dataclass(frozen=True)
class ImportResult:
    """What an import did, or, on a dry run, would do."""

    version: str
    is_changed: bool
    changes: list[dict[str, str]] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return sum(1 for change in self.changes if change["type"] == kind)


class _DryRun(Exception):
    """Carries the result out of the transaction that is rolled back."""


def import_document(value: Any, *, by: User | None, now: datetime, dry_run: bool = False) -> ImportResult:
    """Make the taxonomy what the document says; a document of the current digest changes nothing.

    Raises InvalidDocument with all its field_errors, NodeInUse when it removes or alters nodes assets stand under.
    """
    document = clean_document(value)
    result: ImportResult | None = None

    def apply(before: Document | None) -> None:
        _refuse_changes_in_use(before, document)
        _write_tables(document)

    try:
        with transaction.atomic():
            result = apply_change(
                apply, by=by, now=now, origin=TaxonomyVersion.Origin.IMPORT, extras=document, wanted=document
            )
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    assert result is not None  # noqa: S101  # set on every way out but an error's
    return result


def install_starter_taxonomy(*, now: datetime) -> ImportResult | None:
    """The taxonomy that ships with the project, where there is none yet."""
    if TaxonomyVersion.objects.exists():
        return None
    return import_document(json.loads(STARTER.read_bytes()), by=None, now=now)


def export_document() -> bytes:
    """The current version's document in its canonical bytes; importing them again changes nothing.

    Raises TaxonomyNotLoaded.
    """
    version = TaxonomyVersion.objects.current()
    if version is None:
        raise TaxonomyNotLoaded("There is no taxonomy yet; import one")
    return version.document.encode()


def changes_between(base: TaxonomyVersion | None, current: TaxonomyVersion | None) -> list[dict[str, str]]:
    """What leads from one version to another; without a base, all of `current` counts as added."""
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
    wanted: Document | None = None,
) -> ImportResult:
    """Run `apply` on the tables and write a version of what they became, one change at a time.

    `extras` gives what stands beside the layers, by default what stood there; `wanted` is the document to reach,
    for its label and to see early that nothing would change. Raises InvalidDocument when the tables would no
    longer make a valid document (an alias may lead to a node that is removed).
    """
    _wait_for_turn()
    current = TaxonomyVersion.objects.current()
    before = json.loads(current.document) if current else None
    if current and wanted and digest_of(wanted) == current.digest:
        return ImportResult(current.label, is_changed=False)
    _apply_checked(apply, before)
    after = clean_document(read_tables(extras if extras is not None else before or {}))
    digest = digest_of(after)
    if current and digest == current.digest:
        return ImportResult(current.label, is_changed=False)
    after["version"] = _free_label(wanted["version"] if wanted else None, current)
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
    """The document the tables hold, with what stands beside the layers taken from `extras`."""
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
    beside = {key: value for key, value in extras.items() if key not in ("version", "layers")}
    return {"version": extras.get("version", "1.0.0"), "layers": layers, **beside}


def _node_entry(code: str, number: int, name: str) -> dict[str, Any]:
    return {"code": code, "numeric": f"{number:03d}", "name": name}


def _wait_for_turn() -> None:
    """Two changes at once follow one another; readers are not held up."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE taxonomy_taxonomyversion IN SHARE ROW EXCLUSIVE MODE")


def _apply_checked(apply: Callable[[Document | None], None], before: Document | None) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            apply(before)
            # Deferred constraints speak up here, where their answer can still be put into words.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    except IntegrityError as error:
        log.warning("taxonomy change refused by the database", exc_info=error)
        raise NodeInUse("Rows that changed meanwhile stand against this change; look again and retry") from error


def _free_label(wished: str | None, current: TaxonomyVersion | None) -> str:
    label = wished or next_label(current.label if current else "1.0.0")
    while TaxonomyVersion.objects.filter(label=label).exists():
        label = next_label(label)
    return label


def _refuse_changes_in_use(before: Document | None, after: Document) -> None:
    if not before:
        return
    used = used_paths()
    old, new = nodes_by_path(before), nodes_by_path(after)
    touched: Counter[NodePath] = Counter()
    for path, count in sorted(used.items()):
        for level in ((path[0], path[1], ""), path):
            if _identity(old.get(level)) != _identity(new.get(level)):
                touched[level] += count
                break
    if touched:
        broken = [
            f"{'alters' if level in new else 'removes'} {'.'.join(filter(None, level))} ({count_in_words(count)})"
            for level, count in touched.items()
        ]
        shown = "; ".join(broken[:20]) + (f"; and {len(broken) - 20} more" if len(broken) > 20 else "")
        raise NodeInUse(f"The document changes {len(broken)} nodes that assets use: {shown}", field="document")


def count_in_words(count: int) -> str:
    return "1 asset" if count == 1 else f"{count} assets"


def used_paths() -> dict[NodePath, int]:
    """Every subcategory that something stands under, with how much."""
    counts = {pk: count for pk, count in usage_counts().items() if count}
    rows = Subcategory.objects.filter(pk__in=counts).values_list(
        "pk", "category__layer__code", "category__code", "code"
    )
    return {(layer, category, code): counts[pk] for pk, layer, category, code in rows}


def _identity(facts: NodeAttributes | None) -> tuple[int, str] | None:
    """What addresses and assets repeat; a description may change at any time."""
    return (facts.number, facts.name) if facts else None


def _write_tables(document: Document) -> None:
    wanted = nodes_by_path(document)
    layers = {layer.code: layer for layer in Layer.objects.all()}
    categories = {(row.layer.code, row.code, ""): row for row in Category.objects.select_related("layer")}
    subcategories = {
        (row.category.layer.code, row.category.code, row.code): row
        for row in Subcategory.objects.select_related("category__layer")
    }
    Subcategory.objects.filter(pk__in=[row.pk for path, row in subcategories.items() if path not in wanted]).delete()
    Category.objects.filter(pk__in=[row.pk for path, row in categories.items() if path not in wanted]).delete()
    Layer.objects.filter(pk__in=[row.pk for code, row in layers.items() if (code, "", "") not in wanted]).delete()

    for path, facts in wanted.items():
        if path[1] == "" and path[0] not in layers:
            layers[path[0]] = Layer.objects.create(code=path[0], number=facts.number, name=facts.name)
    _alter(Layer, {(code, "", ""): row for code, row in layers.items()}, wanted)
    _alter(Category, categories, wanted)
    new_categories = [
        Category(layer=layers[path[0]], code=path[1], number=facts.number, name=facts.name)
        for path, facts in wanted.items()
        if path[1] and not path[2] and path not in categories
    ]
    for row in Category.objects.bulk_create(new_categories):
        categories[row.layer.code, row.code, ""] = row
    _alter(Subcategory, subcategories, wanted)
    Subcategory.objects.bulk_create(
        Subcategory(
            category=categories[path[0], path[1], ""],
            code=path[2],
            number=facts.number,
            name=facts.name,
            description=facts.description,
        )
        for path, facts in wanted.items()
        if path[2] and path not in subcategories
    )


def _alter(model: Any, rows: dict[NodePath, Any], wanted: dict[NodePath, NodeAttributes]) -> None:
    """Give rows their new facts. Names go by way of a name nobody has, since two siblings may be swapping theirs;
    numbers need no such step, their constraint looks at the end of the transaction."""
    renamed = [row for path, row in rows.items() if path in wanted and row.name != wanted[path].name]
    for row in renamed:
        row.name = f"~{row.pk}"
    model.objects.bulk_update(renamed, ["name"])
    fields = ["number", "name"] + (["description"] if model is Subcategory else [])
    changed = []
    for path, row in rows.items():
        if path not in wanted or all(getattr(row, name) == getattr(wanted[path], name) for name in fields):
            continue
        for name in fields:
            setattr(row, name, getattr(wanted[path], name))
        changed.append(row)
    model.objects.bulk_update(changed, fields)
