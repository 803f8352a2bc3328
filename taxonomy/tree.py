"""The tree page of the admin: three levels with the assets below each node, filtered by a search."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from taxonomy.normalization import normalize_name
from taxonomy.snapshot import CategoryNode, LayerNode, Node, TaxonomySnapshot


@dataclass(frozen=True)
class TreeNode:
    """One node. `codes` and `numbers` are its path (`L.CAS`, `L.004`); `pk` is 0 for a layer."""

    pk: int
    codes: str
    numbers: str
    name: str
    asset_count: int
    description: str = ""
    children: tuple["TreeNode", ...] = ()


def build_tree(taxonomy: TaxonomySnapshot, asset_counts: Mapping[int, int], *, search: str = "") -> list[TreeNode]:
    """Return all layers, or what matches `search` by name, codes or numbers, with ancestors and children."""
    layers = [_layer_tree(layer, asset_counts) for layer in taxonomy.layers]
    name_part = normalize_name(search) if search.strip() else ""
    return list(_filter(layers, name_part, search.strip().casefold())) if name_part else layers


def _layer_tree(layer: LayerNode, counts: Mapping[int, int]) -> TreeNode:
    children = tuple(_category_tree(layer, category, counts) for category in layer.categories)
    return TreeNode(0, layer.code, str(layer.number), layer.name, _total(children), children=children)


def _category_tree(layer: LayerNode, category: CategoryNode, counts: Mapping[int, int]) -> TreeNode:
    codes, numbers = f"{layer.code}.{category.code}", f"{layer.code}.{category.number:03d}"
    children = tuple(_subcategory_leaf(codes, numbers, node, counts.get(node.pk, 0)) for node in category.nodes)
    return TreeNode(category.pk, codes, numbers, category.name, _total(children), children=children)


def _subcategory_leaf(codes: str, numbers: str, node: Node, count: int) -> TreeNode:
    return TreeNode(node.pk, f"{codes}.{node.code}", f"{numbers}.{node.number:03d}", node.name, count, node.description)


def _total(nodes: Iterable[TreeNode]) -> int:
    return sum(node.asset_count for node in nodes)


def _filter(nodes: Iterable[TreeNode], name_part: str, path_part: str) -> Iterable[TreeNode]:
    for node in nodes:
        if (
            name_part in normalize_name(node.name)
            or path_part in node.codes.casefold()
            or path_part in node.numbers.casefold()
        ):
            yield node
        elif children := tuple(_filter(node.children, name_part, path_part)):
            yield replace(node, children=children)
