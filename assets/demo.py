"""Demo assets: a registry that looks like the legacy one, with the new fields empty as legacy rows have them."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from assets.demo_media import make_media
from assets.media_storage import delete_media, save_media
from assets.models import Asset, SequenceCounter, SequenceReservation
from assets.sequences import advance_counter
from common.errors import Conflict
from common.public_ids import generate_public_id
from taxonomy.snapshot import Node, TaxonomySnapshot
from taxonomy.snapshot_cache import current_taxonomy

# Shares of the legacy registry: 711 composites, 156 looks, 87 stars, 76 worlds, 58 moves and, since May, 14 songs.
_SHARES = (("G", 14), ("S", 87), ("L", 157), ("M", 58), ("W", 76), ("C", 711))
_LEGACY_TOTAL = sum(share for _, share in _SHARES)
_PART_LAYERS = "GSLMW"
_OWN_FILES_UP_TO = 5000  # above that, assets of a layer share one file: a benchmark needs rows, not bytes
_SPAN = timedelta(days=60)
_PEOPLE = ("mira@studio.demo", "theo@studio.demo", "ines@studio.demo", "jonas@studio.demo")
_MOODS = ("Hazy", "Velvet", "Golden", "Electric", "Quiet", "Neon", "Paper", "Silver", "Restless", "Tidal", "Amber")
_THINGS = ("Harbour", "Signal", "Orchard", "Mirror", "Lantern", "Avenue", "Meadow", "Engine", "Parade", "Compass")
_BANDS = ("The Night Ferries", "Cardinal Sons", "Ana Vell", "Low Tide Choir", "Marble Arcade", "Jun Okada")
_TAGS = ("general", "upbeat", "slow", "late-night", "summer", "studio", "remix", "acoustic", "mobile-ready", "bold")


@dataclass(frozen=True)
class _Plan:
    node: Node
    number: int


def load_demo(*, asset_count: int, now: datetime, on_progress: Callable[[int], None] = lambda rows: None) -> int:
    """Add demo assets in the shares of the legacy registry, with media of their own up to 5,000. Returns how many."""
    directory = current_taxonomy()
    dice = random.Random(20250515)  # noqa: S311  # the same demo for everybody
    counts = _counts_by_layer(asset_count)
    is_own_file = asset_count <= _OWN_FILES_UP_TO
    parts: dict[str, list[str]] = {}
    with transaction.atomic():
        plans = list(_plan(directory, counts, dice))  # before the COPY: it has the connection to itself
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for position, (layer, plan) in enumerate(plans):
                row = _make_row(layer, plan, parts, dice, created_at=now - _SPAN * dice.random(), own_file=is_own_file)
                if is_own_file:
                    row["file_size"] = _store(row, layer, position)
                copy.write_row([row[column] for column in _COLUMNS])
                if layer in _PART_LAYERS:
                    parts.setdefault(layer, []).append(row["nna_address"])
                if (position + 1) % 100 == 0:
                    on_progress(100)
        if is_own_file:  # a first state, so that staff's first edit shows as a difference
            Asset.history.bulk_history_create(
                Asset.objects.filter(origin=Asset.Origin.DEMO).exclude(pk__in=Asset.history.values("id")),
                batch_size=500,
                default_change_reason="demo",
            )
        else:
            for layer in counts:
                _store(_shared_file(layer), layer, 0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE assets_asset")  # plans made for an empty table are bad ones for a full one
    on_progress(asset_count % 100)
    return asset_count


def _counts_by_layer(asset_count: int) -> dict[str, int]:
    counts = {layer: asset_count * share // _LEGACY_TOTAL for layer, share in _SHARES}
    counts["C"] += asset_count - sum(counts.values())
    return counts


def _plan(directory: TaxonomySnapshot, counts: dict[str, int], dice: random.Random) -> Iterator[tuple[str, _Plan]]:
    """Which node and number each asset gets. Composites come last: they need parts."""
    chosen: list[tuple[str, Node]] = []
    for layer, count in counts.items():
        if not count:
            continue
        nodes = [node for node in directory.nodes() if node.layer == layer]
        if not nodes:
            raise Conflict(f"The taxonomy has no subcategory in layer {layer}")
        # Some places are crowded and some are nearly empty, as in life.
        weights = [1 / (place + 1) for place in range(len(nodes))]
        chosen += [(layer, node) for node in dice.choices(nodes, weights, k=count)]
    totals = Counter(node.pk for _, node in chosen)
    next_number = {pk: advance_counter(pk, total) for pk, total in sorted(totals.items())}
    for layer, node in chosen:
        number = next_number[node.pk]
        next_number[node.pk] += 1
        yield layer, _Plan(node, number)


_COLUMNS = (
    "public_id", "layer", "category", "subcategory", "taxonomy_node_id", "sequence_number", "name", "nna_address",
    "has_irregular_address", "media_key", "media_url", "mime_type", "file_size", "original_filename", "source",
    "description", "tags", "training_data", "rights", "components", "registered_by", "created_at", "updated_at",
    "revision", "origin", "curated_by", "deleted_by", "deletion_reason",
)  # fmt: skip
_COPY = f"COPY assets_asset ({', '.join(_COLUMNS)}) FROM STDIN"


def _make_row(
    layer: str, plan: _Plan, parts: dict[str, list[str]], dice: random.Random, *, created_at: datetime, own_file: bool
) -> dict[str, Any]:
    node = plan.node
    name = node.hfn(plan.number)
    components: list[str] = []
    if layer == "C":
        layers = [part for part in _PART_LAYERS if parts.get(part)]
        components = [dice.choice(parts[part]) for part in layers[: dice.randint(2, 5)]]
        name = ":".join([name, *components])
    words = f"{dice.choice(_MOODS)} {dice.choice(_THINGS)}"
    codes = f"{node.layer}.{node.category_code}.{node.code}"
    if layer == "G":
        tempo = dice.randint(80, 150)
        description = f"{words} by {dice.choice(_BANDS)}. A {node.name.replace('_', ' ')} song at about {tempo} BPM."
        tags = [f"{tempo}bpm", *dice.sample(_TAGS, 3)]
    else:
        description = f"Asset {words} {node.name.replace('_', ' ').lower()} ({codes})"
        tags = dice.sample(_TAGS, dice.choice((1, 1, 1, 2, 4)))
    file = (
        {"media_key": f"{layer}/{node.category_code}/{node.code}/{name}.{_extension(layer)}", "file_size": None}
        if own_file
        else _shared_file(layer)
    )
    return {
        "public_id": generate_public_id(created_at.timestamp()),
        "layer": layer,
        "category": node.category_name,
        "subcategory": node.name,
        "taxonomy_node_id": node.pk,
        "sequence_number": plan.number,
        "name": name,
        "nna_address": node.mfa(plan.number),
        "has_irregular_address": False,
        "media_url": "",
        "mime_type": {"mp4": "video/mp4", "wav": "audio/wav", "png": "image/png"}[_extension(layer)],
        "original_filename": f"{words.lower().replace(' ', '-')}.{_extension(layer)}",
        "source": "ReViz",
        "description": description,
        "tags": tags,
        "training_data": Jsonb({"prompts": [], "images": [], "videos": []}),
        "rights": Jsonb({"source": "Original", "rights_split": "100%"}),
        "components": components,
        "registered_by": dice.choice(_PEOPLE),
        "created_at": created_at,
        "updated_at": created_at,
        "revision": 0,
        "origin": Asset.Origin.DEMO.value,
        "curated_by": "",
        "deleted_by": "",
        "deletion_reason": "",
        **file,
    }


def _extension(layer: str) -> str:
    return "mp4" if layer in "MC" else "wav" if layer == "G" else "png"


def _shared_file(layer: str) -> dict[str, Any]:
    return {"media_key": f"demo/{layer}.{_extension(layer)}", "file_size": None}


def _store(row: dict[str, Any], layer: str, seed: int) -> int:
    """Store the file the row names; its size in bytes."""
    content, mime_type, _ = make_media(layer, seed, row.get("nna_address", layer))
    delete_media(row["media_key"])  # what an earlier demo may have left
    save_media(key=row["media_key"], content=ContentFile(content), mime_type=mime_type)
    return len(content)


def clear_demo(*, on_progress: Callable[[int], None] = lambda rows: None) -> int:
    """Remove demo assets for good: rows, history, media and the counters only they used. Returns how many.

    Raises Conflict when a composite of somebody's own holds a demo asset as its part.
    """
    demo = Asset.objects.filter(origin=Asset.Origin.DEMO)
    addresses = list(demo.exclude(layer="C").values_list("nna_address", flat=True))
    user = Asset.objects.exclude(origin=Asset.Origin.DEMO).filter(components__overlap=addresses).first()
    if user:
        raise Conflict(f"{user.name} has demo assets among its parts; delete it for good first")
    keys = set(demo.exclude(media_key="").values_list("media_key", flat=True))
    with transaction.atomic():
        nodes = list(demo.order_by().values_list("taxonomy_node", flat=True).distinct())
        Asset.history.filter(origin=Asset.Origin.DEMO).delete()
        count, _ = demo.delete()
        in_use = set(Asset.objects.filter(taxonomy_node__in=nodes).values_list("taxonomy_node", flat=True))
        unused = [node for node in nodes if node not in in_use]
        SequenceCounter.objects.filter(pk__in=unused).delete()
        SequenceReservation.objects.filter(taxonomy_node__in=unused).delete()
    for key in keys:  # after the commit: a file without a row harms nobody, a row without a file does
        delete_media(key)
        on_progress(1)
    return count
