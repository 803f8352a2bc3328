"""The taxonomy of one version as an immutable value. Pure; `snapshot_cache` reads it from the tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from taxonomy.addresses import (
    LAYER_LETTERS,
    HumanFriendlyName,
    MachineFriendlyAddress,
    format_hfn,
    format_mfa,
    shorten,
)
from taxonomy.conversion import AddressConverter
from taxonomy.errors import InvalidTaxonomyPath, NodeNotFound
from taxonomy.normalization import normalize_name

NO_VERSION = "0.0.0"


@dataclass(frozen=True)
class Node:
    """One subcategory with its category and layer."""

    pk: int
    code: str
    number: int
    name: str
    description: str
    category_pk: int
    category_code: str
    category_number: int
    category_name: str
    layer: str
    layer_number: int
    layer_name: str

    def hfn(self, sequence_number: int) -> str:
        return format_hfn(HumanFriendlyName(self.layer, self.category_code, self.code, sequence_number))

    def mfa(self, sequence_number: int) -> str:
        return format_mfa(MachineFriendlyAddress(self.layer, self.category_number, self.number, sequence_number))

    def numeric_mfa(self, sequence_number: int) -> str:
        address = MachineFriendlyAddress(self.layer, self.category_number, self.number, sequence_number)
        return format_mfa(address, with_numeric_layer=True)


@dataclass(frozen=True)
class CategoryNode:
    pk: int
    code: str
    number: int
    name: str
    nodes: tuple[Node, ...]

    @cached_property
    def _by_spelling(self) -> dict[str, Node]:
        return {spelling: node for node in self.nodes for spelling in _spellings(node.code, node.number, node.name)}

    def find(self, value: str) -> Node | None:
        """Return the subcategory with this name, code or number; `CAT.SUB` means `SUB`."""
        text = value.strip()
        prefix, dot, remaining = text.partition(".")
        if dot and normalize_name(prefix) in (normalize_name(self.code), normalize_name(self.name)):
            text = remaining
        return self._by_spelling.get(normalize_name(text))


@dataclass(frozen=True)
class LayerNode:
    code: str
    number: int
    name: str
    categories: tuple[CategoryNode, ...]

    @cached_property
    def _by_spelling(self) -> dict[str, CategoryNode]:
        return {
            spelling: category
            for category in self.categories
            for spelling in _spellings(category.code, category.number, category.name)
        }

    def find(self, value: str) -> CategoryNode | None:
        """Return the category with this name, code or number."""
        return self._by_spelling.get(normalize_name(value))


def _spellings(code: str, number: int, name: str) -> tuple[str, ...]:
    # The name is last, because the last entry of a dict wins: a name has priority over a sibling's code or number.
    return (f"{number:03d}", normalize_name(code), normalize_name(name))


class TaxonomySnapshot:
    """The taxonomy of one version. It never changes after it is built, so threads share it."""

    def __init__(
        self,
        layers: tuple[LayerNode, ...],
        *,
        version: str = NO_VERSION,
        version_pk: int = 0,
        digest: str = "",
        updated_at: datetime | None = None,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.layers = layers
        self.version = version
        self.version_pk = version_pk
        self.digest = digest
        self.updated_at = updated_at
        self._layers_by_code = {layer.code: layer for layer in layers}
        self._by_codes = {(node.layer, node.category_code, node.code): node for node in self.nodes()}
        self._by_pk = {node.pk: node for node in self.nodes()}
        numbers = {codes: (node.layer, node.category_number, node.number) for codes, node in self._by_codes.items()}
        self._converter = AddressConverter(numbers, aliases or {})

    def nodes(self) -> Iterator[Node]:
        return (node for layer in self.layers for category in layer.categories for node in category.nodes)

    def node(self, pk: int) -> Node | None:
        return self._by_pk.get(pk)

    def node_by_codes(self, layer: str, category: str, subcategory: str) -> Node | None:
        return self._by_codes.get((layer, category, subcategory))

    def hfn_to_mfa(self, text: str, *, with_numeric_layer: bool = False) -> str:
        """Convert an HFN or composite (see `conversion`). Raises InvalidAddress."""
        return self._converter.hfn_to_mfa(text, with_numeric_layer=with_numeric_layer)

    def mfa_to_hfn(self, text: str) -> str:
        """Convert an MFA or composite (see `conversion`). Raises InvalidAddress."""
        return self._converter.mfa_to_hfn(text)

    def resolve(self, layer: str, category: str, subcategory: str) -> Node:
        """Return the node for names, codes or numbers of a request. Raises InvalidTaxonomyPath with the field.

        Messages are part of the API contract.
        """
        layer_node = self.resolve_layer(layer)
        category_node = layer_node.find(category)
        if category_node is None:
            raise InvalidTaxonomyPath(
                f"Invalid category: {shorten(category)} for layer: {layer_node.code}", field="category"
            )
        node = category_node.find(subcategory) or self._find_by_alias(layer_node.code, category_node.code, subcategory)
        if node is None:
            raise InvalidTaxonomyPath(
                f"Invalid subcategory: {shorten(subcategory)} for layer: {layer_node.code}, "
                f"category: {category_node.name}",
                field="subcategory",
            )
        return node

    def resolve_layer(self, layer: str) -> LayerNode:
        """Return the layer for a code or number of a request. Raises InvalidTaxonomyPath."""
        text = layer.strip().upper()
        layer_node = self._layers_by_code.get(text)
        if layer_node is None and text.isascii() and text.isdigit() and len(text) <= 2:
            layer_node = self._layers_by_code.get(LAYER_LETTERS.get(int(text), ""))
        if layer_node is None:
            raise InvalidTaxonomyPath(f"Invalid layer: {shorten(layer)}", field="layer")
        return layer_node

    def get_layer(self, layer: str) -> LayerNode:
        """Return the layer for a part of a URL. Raises NodeNotFound."""
        try:
            return self.resolve_layer(layer)
        except InvalidTaxonomyPath as error:
            raise NodeNotFound(f"Layer not found: {shorten(layer)}") from error

    def get_category(self, layer: str, category: str) -> tuple[LayerNode, CategoryNode]:
        """Return layer and category for two parts of a URL. Raises NodeNotFound."""
        layer_node = self.get_layer(layer)
        category_node = layer_node.find(category)
        if category_node is None:
            raise NodeNotFound(f"Category not found: {shorten(category)} in layer {layer_node.code}")
        return layer_node, category_node

    def matching_nodes(
        self, *, layer: str | None = None, category: str | None = None, subcategory: str | None = None
    ) -> list[Node]:
        """Return all nodes that match the filters of a list. A filter that is None matches everything."""
        layers = [entry for entry in self.layers if layer is None or entry.code == layer.strip().upper()]
        categories = [
            found
            for entry in layers
            for found in (entry.categories if category is None else filter(None, [entry.find(category)]))
        ]
        return [
            node
            for entry in categories
            for node in (entry.nodes if subcategory is None else filter(None, [entry.find(subcategory)]))
        ]

    def _find_by_alias(self, layer: str, category: str, subcategory: str) -> Node | None:
        code = subcategory.strip().upper().rpartition(".")[2]
        codes = self._converter.resolve_alias(f"{layer}.{category}.{code}")
        return self._by_codes.get(codes) if codes else None
