"""Demo assets in the shares of the legacy registry. The gated fields are empty, as in legacy rows."""

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
_COMPONENT_LAYERS = "GSLMW"
_MAX_ASSETS_WITH_OWN_FILE = 5000  # above that, assets of a layer share one file: benchmarks need rows, not bytes
_SPAN = timedelta(days=60)
_USERS = ("mira@studio.demo", "theo@studio.demo", "ines@studio.demo", "jonas@studio.demo")
_MOODS = ("Hazy", "Velvet", "Golden", "Electric", "Quiet", "Neon", "Paper", "Silver", "Restless", "Tidal", "Amber")
_THINGS = ("Harbour", "Signal", "Orchard", "Mirror", "Lantern", "Avenue", "Meadow", "Engine", "Parade", "Compass")
_BANDS = ("The Night Ferries", "Cardinal Sons", "Ana Vell", "Low Tide Choir", "Marble Arcade", "Jun Okada")
_TAGS = ("general", "upbeat", "slow", "late-night", "summer", "studio", "remix", "acoustic", "mobile-ready", "bold")


@dataclass(frozen=True)
class _Plan:
    node: Node
    number: int


def load_demo(*, asset_count: int, now: datetime, on_progress: Callable[[int], None] = lambda rows: None) -> int:
    """Add demo assets and return their number. Up to 5,000 assets get a file of their own."""
    taxonomy = current_taxonomy()
    rng = random.Random(20250515)  # noqa: S311  # the same demo on each machine
    counts = _counts_by_layer(asset_count)
    is_own_file = asset_count <= _MAX_ASSETS_WITH_OWN_FILE
    components: dict[str, list[str]] = {}
    with transaction.atomic():
        plans = list(_plan(taxonomy, counts, rng))  # before COPY, which blocks the connection for queries
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for position, (layer, plan) in enumerate(plans):
                row = _make_row(
                    layer, plan, components, rng, created_at=now - _SPAN * rng.random(), own_file=is_own_file
                )
                if is_own_file:
                    row["file_size"] = _store(row, layer, position)
                copy.write_row([row[column] for column in _COLUMNS])
                if layer in _COMPONENT_LAYERS:
                    components.setdefault(layer, []).append(row["nna_address"])
                if (position + 1) % 100 == 0:
                    on_progress(100)
        if is_own_file:  # history rows, so that the first edit shows as a difference
            Asset.history.bulk_history_create(
                Asset.objects.filter(origin=Asset.Origin.DEMO).exclude(pk__in=Asset.history.values("id")),
                batch_size=500,
                default_change_reason="demo",
            )
        else:
            for layer in counts:
                _store(_shared_file(layer), layer, 0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE assets_asset")  # otherwise queries use plans for an empty table
    on_progress(asset_count % 100)
    return asset_count


def _counts_by_layer(asset_count: int) -> dict[str, int]:
    counts = {layer: asset_count * share // _LEGACY_TOTAL for layer, share in _SHARES}
    counts["C"] += asset_count - sum(counts.values())
    return counts


def _plan(taxonomy: TaxonomySnapshot, counts: dict[str, int], rng: random.Random) -> Iterator[tuple[str, _Plan]]:
    """Yield the layer, node and number of each asset. Composites come last: they need components."""
    chosen: list[tuple[str, Node]] = []
    for layer, count in counts.items():
        if not count:
            continue
        nodes = [node for node in taxonomy.nodes() if node.layer == layer]
        if not nodes:
            raise Conflict(f"The taxonomy has no subcategory in layer {layer}")
        # Uneven on purpose: a few subcategories have most assets, as in the legacy registry.
        weights = [1 / (position + 1) for position in range(len(nodes))]
        chosen += [(layer, node) for node in rng.choices(nodes, weights, k=count)]
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
    layer: str,
    plan: _Plan,
    available: dict[str, list[str]],
    rng: random.Random,
    *,
    created_at: datetime,
    own_file: bool,
) -> dict[str, Any]:
    node = plan.node
    name = node.hfn(plan.number)
    components: list[str] = []
    if layer == "C":
        layers = [name for name in _COMPONENT_LAYERS if available.get(name)]
        components = [rng.choice(available[name]) for name in layers[: rng.randint(2, 5)]]
        name = ":".join([name, *components])
    title = f"{rng.choice(_MOODS)} {rng.choice(_THINGS)}"
    codes = f"{node.layer}.{node.category_code}.{node.code}"
    if layer == "G":
        tempo = rng.randint(80, 150)
        description = f"{title} by {rng.choice(_BANDS)}. A {node.name.replace('_', ' ')} song at about {tempo} BPM."
        tags = [f"{tempo}bpm", *rng.sample(_TAGS, 3)]
    else:
        description = f"Asset {title} {node.name.replace('_', ' ').lower()} ({codes})"
        tags = rng.sample(_TAGS, rng.choice((1, 1, 1, 2, 4)))
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
        "original_filename": f"{title.lower().replace(' ', '-')}.{_extension(layer)}",
        "source": "ReViz",
        "description": description,
        "tags": tags,
        "training_data": Jsonb({"prompts": [], "images": [], "videos": []}),
        "rights": Jsonb({"source": "Original", "rights_split": "100%"}),
        "components": components,
        "registered_by": rng.choice(_USERS),
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
    """Store the file of the row and return its size in bytes."""
    content, mime_type, _ = make_media(layer, seed, row.get("nna_address", layer))
    delete_media(row["media_key"])  # an earlier demo may have left a file
    save_media(key=row["media_key"], content=ContentFile(content), mime_type=mime_type)
    return len(content)


def clear_demo(*, on_progress: Callable[[int], None] = lambda rows: None) -> int:
    """Delete demo assets with history, media and the counters that only they used. Return their number.

    Raises Conflict if another composite has a demo asset as a component.
    """
    demo = Asset.objects.filter(origin=Asset.Origin.DEMO)
    addresses = list(demo.exclude(layer="C").values_list("nna_address", flat=True))
    composite = Asset.objects.exclude(origin=Asset.Origin.DEMO).filter(components__overlap=addresses).first()
    if composite:
        raise Conflict(f"{composite.name} has demo assets as components; delete its row first")
    keys = set(demo.exclude(media_key="").values_list("media_key", flat=True))
    with transaction.atomic():
        nodes = list(demo.order_by().values_list("taxonomy_node", flat=True).distinct())
        Asset.history.filter(origin=Asset.Origin.DEMO).delete()
        count, _ = demo.delete()
        in_use = set(Asset.objects.filter(taxonomy_node__in=nodes).values_list("taxonomy_node", flat=True))
        unused = [node for node in nodes if node not in in_use]
        SequenceCounter.objects.filter(pk__in=unused).delete()
        SequenceReservation.objects.filter(taxonomy_node__in=unused).delete()
    for key in keys:  # after the commit: a row without its file would be broken, a file without a row is not
        delete_media(key)
        on_progress(1)
    return count
