"""The taxonomy as staff read it: three levels with the assets under each node, narrowed by a search."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from taxonomy.snapshot import CategoryNode, LayerNode, Node, TaxonomySnapshot, normalize_name


@dataclass(frozen=True)
class TreeNode:
    """One node. `codes` and `numbers` are its address so far (`L.CAS`, `L.004`); `pk` is 0 for a layer."""

    pk: int
    codes: str
    numbers: str
    name: str
    asset_count: int
    description: str = ""
    children: tuple["TreeNode", ...] = ()


def build_tree(directory: TaxonomySnapshot, asset_counts: Mapping[int, int], *, search: str = "") -> list[TreeNode]:
    """All layers, or what has `search` in a name, in codes or in numbers, with the way to it and all below it."""
    layers = [_layer_branch(layer, asset_counts) for layer in directory.layers]
    wanted = normalize_name(search) if search.strip() else ""
    return list(_narrowed(layers, wanted, search.strip().casefold())) if wanted else layers


def _layer_branch(layer: LayerNode, counts: Mapping[int, int]) -> TreeNode:
    children = tuple(_category_branch(layer, category, counts) for category in layer.categories)
    return TreeNode(0, layer.code, str(layer.number), layer.name, _total(children), children=children)


def _category_branch(layer: LayerNode, category: CategoryNode, counts: Mapping[int, int]) -> TreeNode:
    codes, numbers = f"{layer.code}.{category.code}", f"{layer.code}.{category.number:03d}"
    children = tuple(_leaf(codes, numbers, node, counts.get(node.pk, 0)) for node in category.nodes)
    return TreeNode(category.pk, codes, numbers, category.name, _total(children), children=children)


def _leaf(codes: str, numbers: str, node: Node, count: int) -> TreeNode:
    return TreeNode(node.pk, f"{codes}.{node.code}", f"{numbers}.{node.number:03d}", node.name, count, node.description)


def _total(branches: Iterable[TreeNode]) -> int:
    return sum(branch.asset_count for branch in branches)


def _narrowed(branches: Iterable[TreeNode], wanted: str, address: str) -> Iterable[TreeNode]:
    for branch in branches:
        if (
            wanted in normalize_name(branch.name)
            or address in branch.codes.casefold()
            or address in branch.numbers.casefold()
        ):
            yield branch
        elif kept := tuple(_narrowed(branch.children, wanted, address)):
            yield replace(branch, children=kept)
