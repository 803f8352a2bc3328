"""Factories of asset rows, without files."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from assets.models import Asset
from assets.registration import compose_name
from assets.sequences import advance_counter
from taxonomy.snapshot import Node
from tests.factories.taxonomy import make_node

DAY_ONE = datetime(2025, 6, 1, 12, tzinfo=UTC)
_EXTENSIONS = {"G": ("wav", "audio/wav"), "M": ("mp4", "video/mp4"), "C": ("mp4", "video/mp4")}


def make_asset(path: str = "L.CAS.ATL", *, components: Sequence[str] = (), **fields: Any) -> Asset:
    """Create the least valid asset under the node at `path`, with the next number; `fields` replace columns.

    Each asset is created a minute after the previous number.
    """
    return make_assets(1, path, components=components, **fields)[0]


def make_assets(count: int, path: str = "L.CAS.ATL", *, components: Sequence[str] = (), **fields: Any) -> list[Asset]:
    node = make_node(*path.split("."))
    first = advance_counter(node.pk, count)
    rows = [_row(node, number, list(components), fields) for number in range(first, first + count)]
    return Asset.objects.bulk_create(rows)


def _row(node: Node, number: int, components: list[str], fields: dict[str, Any]) -> Asset:
    name = compose_name(node, number, components)
    extension, mime_type = _EXTENSIONS.get(node.layer, ("png", "image/png"))
    created_at = fields.get("created_at", DAY_ONE + timedelta(minutes=number))
    facts = {
        "layer": node.layer,
        "category": node.category_name,
        "subcategory": node.name,
        "taxonomy_node_id": node.pk,
        "sequence_number": number,
        "name": name,
        "nna_address": node.mfa(number),
        "media_key": f"{node.layer}/{node.category_code}/{node.code}/{name}.{extension}",
        "mime_type": mime_type,
        "source": "ReViz",
        "description": f"Asset {number} ({node.layer}.{node.category_code}.{node.code})",
        "components": components,
        "registered_by": "mira@studio.example",
        "created_at": created_at,
        "updated_at": created_at,
    }
    return Asset(**(facts | fields))
