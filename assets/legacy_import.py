"""Import the legacy registry. Ids, names, addresses, dates and media URLs stay as clients know them.

The import runs in batches of one transaction each. A second run over the same export changes nothing: a row is updated
only if the row of the export is newer. An update leaves the values of keys that the row of the export lacks.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from django.db import transaction

from accounts.registration import ensure_users
from assets import legacy_staging as staging
from assets.import_report import ImportReport, Message
from assets.legacy_export_parser import InvalidRow, LegacyAsset, parse_asset
from assets.legacy_staging import StagedRow
from assets.sequences import ensure_counters_at_least
from common.errors import InvalidInput
from taxonomy.snapshot import TaxonomySnapshot

log = logging.getLogger(__name__)

BATCH_ROWS = 2000  # about a second, so that an interruption loses little work
_MEDIA_OF_LAYER = {
    "G": {"mp3", "wav", "ogg", "flac", "aac", "m4a"},
    "S": {"png", "jpg", "jpeg", "gif", "svg", "webp"},
    "L": {"png", "jpg", "jpeg", "gif", "svg", "webp"},
}


class _DryRun(Exception):
    """Rolls back a batch of a dry run."""


def import_registry(
    documents: Iterable[tuple[int, Any]],
    *,
    taxonomy: TaxonomySnapshot,
    dry_run: bool = False,
    on_progress: Callable[[int], None] = lambda rows: None,
    report: ImportReport | None = None,
) -> ImportReport:
    """Import the documents of `legacy_export_parser.iter_documents`. A dry run rolls back each batch.

    `report` is filled and returned; one with `MessageFile`s keeps the messages of a large export out of memory.
    """
    report = report or ImportReport()
    staging.create_tables()
    for batch in _batches(documents):
        report.read += len(batch)
        rejected, warnings = _import_batch(batch, taxonomy, report, dry_run=dry_run)
        report.rejected.extend(sorted(rejected))
        report.warnings.extend(sorted(warnings))
        on_progress(len(batch))
    report.warnings.extend(
        (position, name, f"components that are not in the registry: {missing}")
        for position, name, missing in staging.unknown_components()
    )
    staging.drop_tables()
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


def _import_batch(
    batch: list[tuple[int, Any]], taxonomy: TaxonomySnapshot, report: ImportReport, *, dry_run: bool
) -> tuple[list[Message], list[Message]]:
    """Return the rejected rows and the warnings of the batch."""
    rejected: list[Message] = []
    rows = _parse_rows(batch, rejected)
    staging.record_components(rows)
    staged = []
    for position, row in rows:
        try:
            staged.append(_resolve(position, row, taxonomy))
        except InvalidInput as error:
            rejected.append((position, row.name, error.message))
    with transaction.atomic():
        accepted, unstored_identities = _write_batch(staged, report, rejected, dry_run=dry_run)
        transaction.set_rollback(dry_run)
    staging.record_identities(unstored_identities)
    warnings: list[Message] = []
    for entry in accepted:
        report.by_layer[entry.row.hfn.layer] += 1
        report.normalized.update(entry.row.normalized)
        warnings += [(entry.position, entry.row.name, text) for text in _collect_warnings(entry)]
    return rejected, warnings


def _parse_rows(batch: list[tuple[int, Any]], rejected: list[Message]) -> list[tuple[int, LegacyAsset]]:
    rows = []
    for position, document in batch:
        try:
            rows.append((position, parse_asset(document)))
        except InvalidRow as error:
            label = str(document.get("name", ""))[:120] if isinstance(document, dict) else ""
            rejected.append((position, label, error.message))
    repeated = staging.record_ids(rows)
    rejected += [
        (position, row.name[:120], f"has the id of row {repeated[position]}")
        for position, row in rows
        if position in repeated
    ]
    return [(position, row) for position, row in rows if position not in repeated]


def _resolve(position: int, row: LegacyAsset, taxonomy: TaxonomySnapshot) -> StagedRow:
    """Resolve by the codes in the name, which clients know; use the names on the row if that fails."""
    node = taxonomy.node_by_codes(row.hfn.layer, row.hfn.category, row.hfn.subcategory)
    node = node or taxonomy.resolve(row.hfn.layer, row.category, row.subcategory)
    if not row.address or row.address[0] != row.hfn.layer:
        raise InvalidRow(f"address {row.address!r} is of another layer than the name")
    if node.layer != row.hfn.layer or not row.registered_by:
        raise InvalidRow("registeredBy is absent")
    return StagedRow(position, row, node, expected_address=node.mfa(row.hfn.number))


def _write_batch(
    staged: list[StagedRow], report: ImportReport, rejected: list[Message], *, dry_run: bool
) -> tuple[list[StagedRow], dict[tuple[str, str], str]]:
    """Return the accepted rows, and the claimed identities that no stored asset has after this batch."""
    staging.stage_rows(staged)
    accepted, claimed = _claim_identities(staged, rejected)
    stored = staging.find_stored()
    new = [entry for entry in accepted if entry.position not in stored]
    newer = [entry for entry in accepted if entry.position in stored and stored[entry.position].is_older]
    ensure_users({entry.row.registered_by for entry in new})
    highest = {stored[entry.position].taxonomy_node_id: 0 for entry in newer}  # an update may change the subcategory
    for entry in accepted:
        highest[entry.node.pk] = max(highest.get(entry.node.pk, 0), entry.row.hfn.number)
    ensure_counters_at_least(highest)  # before the rows: all writers lock counters first
    staging.insert_assets([entry.position for entry in new])
    updated = staging.update_assets([entry.position for entry in newer])
    report.created += len(new)
    report.updated += updated
    report.unchanged += len(accepted) - len(new) - updated
    written = [] if dry_run else [*new, *newer]
    same = [entry for entry in staged if entry.position in stored and stored[entry.position].has_identity]
    settled = {entry.row.public_id for entry in (*same, *written)}
    return accepted, {identity: owner for identity, owner in claimed.items() if owner not in settled}


def _claim_identities(
    staged: list[StagedRow], rejected: list[Message]
) -> tuple[list[StagedRow], dict[tuple[str, str], str]]:
    """Return the rows whose name, address and number belong to no other asset, and what all rows claimed."""
    accepted: list[StagedRow] = []
    claimed: dict[tuple[str, str], str] = {}
    conflicts = staging.find_conflicts()
    for entry in staged:
        for kind, value in entry.identities():
            owner = conflicts.get((entry.position, kind)) or claimed.setdefault((kind, value), entry.row.public_id)
            if owner != entry.row.public_id:
                text = f"{kind} {value} belongs to asset {owner}"
                rejected.append((entry.position, entry.row.name, text))
                break
        else:
            accepted.append(entry)
    return accepted, claimed


def _collect_warnings(staged: StagedRow) -> list[str]:
    row, node = staged.row, staged.node
    warnings = list(row.warnings)
    if staged.is_irregular:
        warnings.append(f"address is {row.address}, the name means {staged.expected_address}; kept")
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
