"""The current taxonomy, cached in each process.

Each call runs one small query for the primary key of the newest version, so an edit is visible to the next request of
every process.
"""

import json
import threading

from taxonomy.models import Category, Layer, Subcategory, TaxonomyVersion
from taxonomy.snapshot import CategoryNode, LayerNode, Node, TaxonomySnapshot

_lock = threading.Lock()
_cached: TaxonomySnapshot | None = None


def current_taxonomy() -> TaxonomySnapshot:
    """Return the snapshot of the newest version; the tables are read only if the version is not cached."""
    global _cached
    version_pk = TaxonomyVersion.objects.current_pk()
    taxonomy = _cached
    if taxonomy is None or taxonomy.version_pk != version_pk:
        with _lock:
            taxonomy = _cached
            if taxonomy is None or taxonomy.version_pk != version_pk:  # another thread may have loaded it meanwhile
                taxonomy = _cached = load_taxonomy()
    return taxonomy


def clear_taxonomy_cache() -> None:
    """Drop the snapshot of this process; the next call of `current_taxonomy` reads the tables."""
    global _cached
    _cached = None


def load_taxonomy() -> TaxonomySnapshot:
    """Read all three levels, without the cache."""
    while True:
        taxonomy = _read_tables()
        # Read again after a concurrent change: rows of two versions must not stand under one label.
        if taxonomy.version_pk == TaxonomyVersion.objects.current_pk():
            return taxonomy


def _read_tables() -> TaxonomySnapshot:
    version = TaxonomyVersion.objects.current()
    nodes_by_category: dict[int, list[Node]] = {}
    for row in Subcategory.objects.as_paths():
        nodes_by_category.setdefault(row[5], []).append(Node(*row))
    categories: dict[str, list[CategoryNode]] = {}
    rows = Category.objects.order_by("layer__number", "number").values_list(
        "pk", "code", "number", "name", "layer__code"
    )
    for pk, code, number, name, layer in rows:
        category = CategoryNode(pk, code, number, name, tuple(nodes_by_category.get(pk, ())))
        categories.setdefault(layer, []).append(category)
    layers = tuple(
        LayerNode(code, number, name, tuple(categories.get(code, ())))
        for code, number, name in Layer.objects.order_by("number").values_list("code", "number", "name")
    )
    if version is None:
        return TaxonomySnapshot(layers)
    return TaxonomySnapshot(
        layers,
        version=version.label,
        version_pk=version.pk,
        digest=version.digest,
        updated_at=version.created_at,
        aliases=json.loads(version.document).get("aliases"),
    )
