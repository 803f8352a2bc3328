"""Import the legacy registry. Ids, names, addresses, dates and media URLs stay as clients know them.

The import runs in batches of one transaction each. A second run over the same export changes nothing: a row is updated
only if the row of the export is newer.
"""

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from accounts.registration import ensure_user
from assets.legacy_export_parser import InvalidRow, LegacyAsset, parse_asset
from assets.models import Asset
from assets.sequences import ensure_counters_at_least
from common.errors import InvalidInput
from taxonomy.snapshot import Node, TaxonomySnapshot

log = logging.getLogger(__name__)

BATCH_ROWS = 500  # about a second, so that an interruption loses little work
_FIELDS = (
    "layer", "category", "subcategory", "taxonomy_node_id", "sequence_number", "name", "nna_address",
    "has_irregular_address", "media_url", "source", "description", "tags", "training_data", "rights", "components",
    "creator_description", "creator_description_origin", "album_art", "ai_metadata", "ai_metadata_origin",
    "registered_by", "created_at", "updated_at", "revision",
)  # fmt: skip
_MEDIA_OF_LAYER = {
    "G": {"mp3", "wav", "ogg", "flac", "aac", "m4a"},
    "S": {"png", "jpg", "jpeg", "gif", "svg", "webp"},
    "L": {"png", "jpg", "jpeg", "gif", "svg", "webp"},
}


@dataclass
class ImportReport:
    """The result for all rows: read = created + updated + unchanged + rejected. Positions start at 1."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[tuple[int, str, str]] = field(default_factory=list)
    warnings: list[tuple[int, str, str]] = field(default_factory=list)
    normalized: Counter[str] = field(default_factory=Counter)
    by_layer: Counter[str] = field(default_factory=Counter)

    def is_balanced(self) -> bool:
        return self.read == self.created + self.updated + self.unchanged + len(self.rejected)


class _DryRun(Exception):
    """Rolls back a batch of a dry run."""


def import_registry(
    documents: Iterable[tuple[int, Any]],
    *,
    taxonomy: TaxonomySnapshot,
    dry_run: bool = False,
    on_progress: Callable[[int], None] = lambda rows: None,
) -> ImportReport:
    """Import the documents of `legacy_export_parser.iter_documents`. A dry run rolls back each batch."""
    report = ImportReport()
    seen: dict[str, int] = {}
    claimed: dict[tuple[str, str], str] = {}
    addresses: set[str] = set()
    composites: list[tuple[int, str, list[str]]] = []
    for batch in _batches(documents):
        rows: list[tuple[int, LegacyAsset]] = []
        for position, document in batch:
            report.read += 1
            row = _parse(position, document, seen, report)
            if row is not None:
                rows.append((position, row))
                addresses.add(row.address)
                if row.hfn.layer == "C":
                    composites.append((position, row.name, row.components))
        _import_batch(rows, taxonomy, report, claimed, dry_run=dry_run)
        on_progress(len(batch))
    known = addresses | set(Asset.objects.filter(nna_address__in={p for _, _, c in composites for p in c}).values_list(
        "nna_address", flat=True
    ))  # fmt: skip
    for position, name, components in composites:
        missing = [address for address in components if address not in known]
        if missing:
            report.warnings.append((position, name, f"components that are not in the registry: {', '.join(missing)}"))
    log.info(
        "registry imported",
        extra={
            "read": report.read,
            "rows_created": report.created,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "rejected": len(report.rejected),
            "dry_run": dry_run,
        },
    )
    return report


def _batches(documents: Iterable[tuple[int, Any]]) -> Iterator[list[tuple[int, Any]]]:
    iterator = iter(documents)
    while batch := list(islice(iterator, BATCH_ROWS)):
        yield batch


def _parse(position: int, document: Any, seen: dict[str, int], report: ImportReport) -> LegacyAsset | None:
    try:
        row = parse_asset(document)
        if row.public_id in seen:
            raise InvalidRow(f"has the id of row {seen[row.public_id]}")
    except InvalidRow as error:
        label = str(document.get("name", ""))[:120] if isinstance(document, dict) else ""
        report.rejected.append((position, label, error.message))
        return None
    seen[row.public_id] = position
    return row


def _import_batch(
    rows: list[tuple[int, LegacyAsset]],
    taxonomy: TaxonomySnapshot,
    report: ImportReport,
    claimed: dict[tuple[str, str], str],
    *,
    dry_run: bool,
) -> None:
    try:
        with transaction.atomic():
            _write_batch(rows, taxonomy, report, claimed)
            if dry_run:
                raise _DryRun
    except _DryRun:
        return


def _write_batch(
    rows: list[tuple[int, LegacyAsset]],
    taxonomy: TaxonomySnapshot,
    report: ImportReport,
    claimed: dict[tuple[str, str], str],
) -> None:
    stored = Asset.objects.in_bulk([row.public_id for _, row in rows], field_name="public_id")
    claimed |= _taken_identities(rows) | _taken_numbers(rows, taxonomy)
    new: list[Asset] = []
    newer: list[Asset] = []
    highest: dict[int, int] = {}
    for position, row in rows:
        try:
            node = _resolve(row, taxonomy)
            draft = _build(row, node)
            _reserve_identity(draft, claimed)
        except InvalidInput as error:
            report.rejected.append((position, row.name, error.message))
            continue
        report.by_layer[row.hfn.layer] += 1
        report.normalized.update(row.normalized)
        report.warnings += [(position, row.name, text) for text in [*row.warnings, *_collect_warnings(row, node)]]
        highest[node.pk] = max(highest.get(node.pk, 0), row.hfn.number)
        old = stored.get(row.public_id)
        if old is None:
            new.append(draft)
        elif row.updated_at > old.updated_at:
            for name in _FIELDS:
                setattr(old, name, getattr(draft, name))
            newer.append(old)
        else:
            report.unchanged += 1
    for email in sorted({asset.registered_by for asset in new}):
        ensure_user(email=email)
    ensure_counters_at_least(highest)  # before the rows: all writers lock counters first
    bulk_create_with_history(new, Asset, batch_size=BATCH_ROWS, default_change_reason="imported")
    bulk_update_with_history(
        newer, Asset, [name.removesuffix("_id") for name in _FIELDS], default_change_reason="imported again"
    )
    report.created += len(new)
    report.updated += len(newer)


def _resolve(row: LegacyAsset, taxonomy: TaxonomySnapshot) -> Node:
    """Resolve by the codes in the name, which clients know; use the names on the row if that fails."""
    node = taxonomy.node_by_codes(row.hfn.layer, row.hfn.category, row.hfn.subcategory)
    return node or taxonomy.resolve(row.hfn.layer, row.category, row.subcategory)


def _taken_identities(rows: list[tuple[int, LegacyAsset]]) -> dict[tuple[str, str], str]:
    """Return (kind, value) -> id of the stored row, for the names and addresses of the batch."""
    taken: dict[tuple[str, str], str] = {}
    bases = {row.name.partition(":")[0] for _, row in rows}
    addresses = {row.address for _, row in rows}
    for public_id, base in Asset.objects.filter(base_name__in=bases).values_list("public_id", "base_name"):
        taken["name", base] = public_id
    for public_id, address in Asset.objects.filter(nna_address__in=addresses).values_list("public_id", "nna_address"):
        taken["address", address] = public_id
    return taken


def _taken_numbers(rows: list[tuple[int, LegacyAsset]], taxonomy: TaxonomySnapshot) -> dict[tuple[str, str], str]:
    """Return the same for the numbers of the batch that stored assets of the same subcategory have."""
    nodes = set()
    for _, row in rows:
        with contextlib.suppress(InvalidInput):  # reported when the row is written
            nodes.add(_resolve(row, taxonomy).pk)
    numbers = Asset.objects.filter(
        taxonomy_node__in=nodes, sequence_number__in={row.hfn.number for _, row in rows}
    ).values_list("public_id", "taxonomy_node_id", "sequence_number")
    return {("number", f"{number} of subcategory {node}"): public_id for public_id, node, number in numbers}


def _reserve_identity(draft: Asset, claimed: dict[tuple[str, str], str]) -> None:
    for key in (
        ("name", draft.name.partition(":")[0]),
        ("address", draft.nna_address),
        ("number", f"{draft.sequence_number} of subcategory {draft.taxonomy_node_id}"),
    ):
        owner = claimed.setdefault(key, draft.public_id)
        if owner != draft.public_id:
            raise InvalidRow(f"{key[0]} {key[1]} belongs to asset {owner}")


def _build(row: LegacyAsset, node: Node) -> Asset:
    if not row.address or row.address[0] != row.hfn.layer:
        raise InvalidRow(f"address {row.address!r} is of another layer than the name")
    if node.layer != row.hfn.layer or not row.registered_by:
        raise InvalidRow("registeredBy is absent")
    return Asset(
        public_id=row.public_id,
        layer=row.hfn.layer,
        category=node.category_name,
        subcategory=node.name,
        taxonomy_node_id=node.pk,
        sequence_number=row.hfn.number,
        name=row.name,
        nna_address=row.address,
        has_irregular_address=row.address != node.mfa(row.hfn.number),
        media_url=row.media_url,
        source=row.source or "ReViz",
        description=row.description,
        tags=row.tags,
        training_data=row.training_data,
        rights=row.rights,
        components=row.components,
        creator_description=row.creator_description,
        album_art=row.album_art,
        ai_metadata=row.ai_metadata,
        registered_by=row.registered_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        revision=row.revision,
        origin=Asset.Origin.IMPORT,
    )


def _collect_warnings(row: LegacyAsset, node: Node) -> list[str]:
    warnings = []
    if row.address != node.mfa(row.hfn.number):
        warnings.append(f"address is {row.address}, the name means {node.mfa(row.hfn.number)}; kept")
    if (row.category, row.subcategory) != (node.category_name, node.name):
        warnings.append(f"taxonomy is given as {row.category}/{row.subcategory}; now {node.category_name}/{node.name}")
    expected_media = _MEDIA_OF_LAYER.get(row.hfn.layer)
    extension = row.media_url.rpartition(".")[2].lower()
    if expected_media and extension not in expected_media:
        warnings.append(f"media is a .{extension[:10]} file")
    name_components = row.name.rstrip(":").split(":")[1:]
    if row.hfn.layer == "C" and name_components != row.components:
        warnings.append("the components in the name differ from the field components")
    if row.updated_at < row.created_at:
        warnings.append("updatedAt is before createdAt")
    if not row.description.strip():
        warnings.append("has no description")
    return warnings
