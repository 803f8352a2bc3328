"""Assets of a benchmark: the shares of layers of the legacy registry, gated fields filled, words of known frequency.

Runs inside Django. The same rows on every machine, apart from their public ids.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from assets.sequences import advance_counter
from benchmarks.words import COMMON_PAIR, COMMON_WORDS, NARROW_TAG, RARE_PAIR, RARE_ROWS, RARE_WORDS, USERS, WIDE_TAG
from common.public_ids import generate_public_id
from taxonomy.snapshot import Node
from taxonomy.snapshot_cache import current_taxonomy

_SHARES = (("G", 14), ("S", 87), ("L", 157), ("M", 58), ("W", 76), ("C", 711))
_MOODS = ("Hazy", "Velvet", "Golden", "Electric", "Quiet", "Neon", "Paper", "Silver", "Restless", "Tidal", "Amber")
_THINGS = ("Harbour", "Signal", "Orchard", "Mirror", "Lantern", "Avenue", "Meadow", "Engine", "Parade", "Compass")
_TAGS = ("general", "upbeat", "slow", "late-night", "summer", "studio", "remix", "acoustic", "mobile-ready", "bold")
_SYLLABLES = ("ka", "lo", "mi", "ra", "ven", "sol", "ti", "dor", "an", "el", "shu", "pre", "go", "nis", "ba", "ur")
_SPAN = timedelta(days=60)
_ROWS_PER_COPY = 20_000  # the triggers of the table keep the rows of a statement in memory
_COLUMNS = (
    "public_id", "layer", "category", "subcategory", "taxonomy_node_id", "sequence_number", "name", "nna_address",
    "has_irregular_address", "media_key", "media_url", "mime_type", "file_size", "original_filename", "source",
    "description", "tags", "training_data", "rights", "components", "creator_description", "album_art", "ai_metadata",
    "registered_by", "created_at", "updated_at", "revision", "origin", "curated_by", "deleted_by", "deletion_reason",
)  # fmt: skip
_COPY = f"COPY assets_asset ({', '.join(_COLUMNS)}) FROM STDIN"


def load_assets(count: int, *, now: datetime) -> None:
    """Insert `count` assets, at least 2,000, into a registry with a taxonomy. A million takes a few minutes."""
    rng = random.Random(count)
    nodes = _choose_nodes(count, rng)
    with transaction.atomic():
        totals = Counter(node.pk for node in nodes)
        next_numbers = {pk: itertools.count(advance_counter(pk, total)) for pk, total in sorted(totals.items())}
    rows = _make_rows(nodes, next_numbers, rng, now=now)
    with _rebuilt_indexes(), connection.cursor() as cursor:
        while chunk := list(itertools.islice(rows, _ROWS_PER_COPY)):
            with cursor.copy(_COPY) as copy:
                for row in chunk:
                    copy.write_row([row[column] for column in _COLUMNS])


def _choose_nodes(count: int, rng: random.Random) -> list[Node]:
    """Return the subcategory of each asset, composites last: they need components."""
    all_nodes = list(current_taxonomy().nodes())
    total = sum(share for _, share in _SHARES)
    sizes = {layer: count * share // total for layer, share in _SHARES}
    sizes["C"] += count - sum(sizes.values())
    chosen: list[Node] = []
    for layer, size in sizes.items():
        nodes = [node for node in all_nodes if node.layer == layer]
        chosen += rng.choices(nodes, [1 / (position + 1) for position in range(len(nodes))], k=size)
    return chosen


def _make_rows(
    nodes: list[Node], next_numbers: dict[int, Iterator[int]], rng: random.Random, *, now: datetime
) -> Iterator[dict[str, Any]]:
    vocabulary = sorted({"".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4))) for _ in range(6000)})
    rng.shuffle(vocabulary)
    weights = list(itertools.accumulate(1 / (rank + 2) for rank in range(len(vocabulary))))  # Zipf's law
    positions = list(range(len(nodes)))
    rng.shuffle(positions)  # rare words and tags are spread over the layers
    rare_step = len(nodes) // (len(RARE_WORDS) * RARE_ROWS)
    components: dict[str, list[str]] = {}
    for position, node in zip(positions, nodes, strict=True):
        words = rng.choices(vocabulary, cum_weights=weights, k=44)
        words[0:2] = rng.sample(COMMON_WORDS, 2)
        rare, remainder = divmod(position, rare_step)
        if not remainder and rare < len(RARE_WORDS) * RARE_ROWS:
            words[2] = RARE_WORDS[rare % len(RARE_WORDS)]
            if words[2] == RARE_WORDS[0]:
                words[3] = f"{RARE_PAIR}or"
        if rng.random() < 0.15:
            words[4] = f"{COMMON_PAIR}ara"
        row = _make_row(node, next(next_numbers[node.pk]), words, components, rng, now=now)
        if rng.random() < 0.18:
            row["tags"].append(WIDE_TAG)
        if position % 5000 == 0:
            row["tags"].append(NARROW_TAG)
        if node.layer != "C":
            components.setdefault(node.layer, []).append(row["nna_address"])
        yield row


def _make_row(
    node: Node, number: int, words: list[str], available: dict[str, list[str]], rng: random.Random, *, now: datetime
) -> dict[str, Any]:
    created_at = now - _SPAN * rng.random()
    name = node.hfn(number)
    components = []
    if node.layer == "C":
        layers = sorted(available)
        components = [rng.choice(available[layer]) for layer in layers[: rng.randint(2, 5)]]
        name = ":".join([name, *components])
    kind = "Song" if node.layer == "G" else "Asset"
    title = f"{rng.choice(_MOODS)} {rng.choice(_THINGS)}"
    is_filled = rng.random() < 0.9
    return {
        "public_id": generate_public_id(created_at.timestamp()),
        "layer": node.layer,
        "category": node.category_name,
        "subcategory": node.name,
        "taxonomy_node_id": node.pk,
        "sequence_number": number,
        "name": name,
        "nna_address": node.mfa(number),
        "has_irregular_address": False,
        "media_key": f"benchmark/{node.layer}.mp4",
        "media_url": "",
        "mime_type": "video/mp4",
        "file_size": None,
        "original_filename": f"{title.lower().replace(' ', '-')}.mp4",
        "source": "ReViz",
        "description": f"{kind} {title} {' '.join(words[:16])}",
        "tags": rng.sample(_TAGS, rng.choice((1, 1, 1, 2, 4))),
        "training_data": Jsonb({"prompts": [], "images": [], "videos": []}),
        "rights": Jsonb({"source": "Original", "rights_split": "100%"}),
        "components": components,
        "creator_description": " ".join(words[16:28]) if is_filled else None,
        "album_art": f"https://is1-ssl.mzstatic.com/image/{rng.getrandbits(64):x}/500x500.jpg" if is_filled else None,
        "ai_metadata": Jsonb(
            {"generatedDescription": " ".join(words[28:41]), "mood": " ".join(words[41:43]), "genre": words[43],
             "tags": words[16:20], "bpm": rng.randint(60, 180)}
        ) if is_filled else None,
        "registered_by": rng.choice(USERS),
        "created_at": created_at,
        "updated_at": created_at + (now - created_at) * rng.random(),
        "revision": 0,
        "origin": "demo",
        "curated_by": "",
        "deleted_by": "",
        "deletion_reason": "",
    }  # fmt: skip


@contextmanager
def _rebuilt_indexes() -> Iterator[None]:
    """Drop the indexes of the registry that enforce nothing, and build them again at the end: it takes less time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE NOT indisunique AND indrelid::regclass::text LIKE 'assets\\_%%'"
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        cursor.execute("SET maintenance_work_mem = '1GB'")
        for _, definition in indexes:
            cursor.execute(definition)
        cursor.execute("RESET maintenance_work_mem")
