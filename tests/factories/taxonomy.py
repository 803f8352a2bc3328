"""The starter taxonomy, and nodes added to it."""

from typing import Any

from django.utils import timezone

from taxonomy.models import Category, Layer, Subcategory, TaxonomyVersion
from taxonomy.snapshot import Node, TaxonomySnapshot
from taxonomy.snapshot_cache import current_taxonomy
from taxonomy.sync import apply_change, install_starter_taxonomy


def load_starter_taxonomy() -> TaxonomySnapshot:
    """Install the starter taxonomy unless a taxonomy exists, and return the current snapshot."""
    install_starter_taxonomy(now=timezone.now())
    return current_taxonomy()


def make_node(layer: str = "L", category: str = "CAS", subcategory: str = "ATL", **values: Any) -> Node:
    """Return the node with these codes, created if the starter has none. `values`: number, name, description."""
    found = load_starter_taxonomy().node_by_codes(layer, category, subcategory)
    if found and not values:
        return found

    def apply(_: Any) -> None:
        parent_layer = Layer.objects.get(code=layer)
        parent_category, _created = Category.objects.get_or_create(
            layer=parent_layer,
            code=category,
            defaults={"number": _next_number(parent_layer.categories), "name": f"Cat_{category}"},
        )
        defaults = {"number": _next_number(parent_category.subcategories), "name": f"Sub_{subcategory}"} | values
        Subcategory.objects.update_or_create(category=parent_category, code=subcategory, defaults=defaults)

    apply_change(apply, by=None, now=timezone.now(), origin=TaxonomyVersion.Origin.EDIT)
    node = current_taxonomy().node_by_codes(layer, category, subcategory)
    assert node is not None
    return node


def _next_number(siblings: Any) -> int:
    return max(siblings.values_list("number", flat=True), default=0) + 1


def small_document(**changes: Any) -> dict[str, Any]:
    """Return a minimal valid document, `BAS.ONE` in each layer. `changes` replaces top-level keys."""
    names = ["Songs", "Stars", "Looks", "Moves", "Worlds", "Branded", "Personalize", "Training", "Composites", "Rights"]
    layers = [
        {
            "code": code,
            "numeric": number,
            "name": name,
            "categories": [
                {
                    "code": "BAS",
                    "numeric": "001",
                    "name": "Basics",
                    "subcategories": [{"code": "ONE", "numeric": "001", "name": "First"}],
                }
            ],
        }
        for number, (code, name) in enumerate(zip("GSLMWBPTCR", names, strict=True), 1)
    ]
    return {"version": "1.0.0", "layers": layers} | changes
