"""The taxonomy as staff read it: three levels with the assets under each node, narrowed by a search."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from taxonomy.snapshot import CategoryEntry, Directory, LayerEntry, Node, fold


@dataclass(frozen=True)
class Branch:
    """One node. `codes` and `numbers` are its address so far (`L.CAS`, `L.004`); `pk` is 0 for a layer."""

    pk: int
    codes: str
    numbers: str
    name: str
    asset_count: int
    description: str = ""
    children: tuple["Branch", ...] = ()


def build_tree(directory: Directory, asset_counts: Mapping[int, int], *, search: str = "") -> list[Branch]:
    """All layers, or what has `search` in a name, in codes or in numbers, with the way to it and all below it."""
    layers = [_layer_branch(layer, asset_counts) for layer in directory.layers]
    wanted = fold(search) if search.strip() else ""
    return list(_narrowed(layers, wanted, search.strip().casefold())) if wanted else layers


def _layer_branch(layer: LayerEntry, counts: Mapping[int, int]) -> Branch:
    children = tuple(_category_branch(layer, category, counts) for category in layer.categories)
    return Branch(0, layer.code, str(layer.number), layer.name, _total(children), children=children)


def _category_branch(layer: LayerEntry, category: CategoryEntry, counts: Mapping[int, int]) -> Branch:
    codes, numbers = f"{layer.code}.{category.code}", f"{layer.code}.{category.number:03d}"
    children = tuple(_leaf(codes, numbers, node, counts.get(node.pk, 0)) for node in category.nodes)
    return Branch(category.pk, codes, numbers, category.name, _total(children), children=children)


def _leaf(codes: str, numbers: str, node: Node, count: int) -> Branch:
    return Branch(node.pk, f"{codes}.{node.code}", f"{numbers}.{node.number:03d}", node.name, count, node.description)


def _total(branches: Iterable[Branch]) -> int:
    return sum(branch.asset_count for branch in branches)


def _narrowed(branches: Iterable[Branch], wanted: str, address: str) -> Iterable[Branch]:
    for branch in branches:
        if wanted in fold(branch.name) or address in branch.codes.casefold() or address in branch.numbers.casefold():
            yield branch
        elif kept := tuple(_narrowed(branch.children, wanted, address)):
            yield replace(branch, children=kept)
