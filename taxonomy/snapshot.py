"""The whole taxonomy as one immutable value: what posted texts mean, and conversion of addresses.

A process keeps the snapshot of the newest version it has seen; each use asks the database for nothing but the
newest version's key.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from taxonomy.addresses import (
    LAYER_LETTERS,
    HumanFriendlyName,
    MachineFriendlyAddress,
    format_hfn,
    format_mfa,
    parse_hfn,
    parse_mfa,
    shorten,
    split_composite,
)
from taxonomy.errors import InvalidAddress, InvalidTaxonomyPath, NodeNotFound
from taxonomy.models import Category, Layer, Subcategory, TaxonomyVersion

NO_VERSION = "0.0.0"


@dataclass(frozen=True)
class Node:
    """One subcategory with the path to it."""

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
        """By name, code or number; `CAT.SUB` counts as `SUB`."""
        text = value.strip()
        prefix, dot, rest = text.partition(".")
        if dot and normalize_name(prefix) in (normalize_name(self.code), normalize_name(self.name)):
            text = rest
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
            spelling: entry
            for entry in self.categories
            for spelling in _spellings(entry.code, entry.number, entry.name)
        }

    def find(self, value: str) -> CategoryNode | None:
        return self._by_spelling.get(normalize_name(value))


def normalize_name(text: str) -> str:
    """Case, `-`, `_` and spaces make no difference; a number counts with or without its zeros."""
    folded = text.strip().casefold().replace("-", "_").replace(" ", "_")
    return f"{int(folded):03d}" if folded.isascii() and folded.isdigit() and len(folded) <= 9 else folded


def _spellings(code: str, number: int, name: str) -> tuple[str, ...]:
    # Names come last, so that in a dict a name never gives way to a sibling's code or number.
    return (f"{number:03d}", normalize_name(code), normalize_name(name))


class TaxonomySnapshot:
    """A snapshot of one version. Never changed after it is built, so threads share it."""

    def __init__(self, version: TaxonomyVersion | None, layers: tuple[LayerNode, ...]) -> None:
        self.version: str = version.label if version else NO_VERSION
        self.version_pk: int = version.pk if version else 0
        self.digest: str = version.digest if version else ""
        self.updated_at: datetime | None = version.created_at if version else None
        self.layers = layers
        self._layers_by_code = {layer.code: layer for layer in layers}
        self._by_codes = {(n.layer, n.category_code, n.code): n for n in self.nodes()}
        self._by_numbers = {(n.layer, n.category_number, n.number): n for n in self.nodes()}
        self._by_pk = {node.pk: node for node in self.nodes()}
        document = json.loads(version.document) if version else {}
        self._aliases = {alias.upper(): target.upper() for alias, target in (document.get("aliases") or {}).items()}

    def nodes(self) -> Iterator[Node]:
        return (node for layer in self.layers for category in layer.categories for node in category.nodes)

    def node(self, pk: int) -> Node | None:
        return self._by_pk.get(pk)

    def node_by_codes(self, layer: str, category: str, subcategory: str) -> Node | None:
        return self._by_codes.get((layer, category, subcategory))

    def node_by_numbers(self, layer: str, category: int, subcategory: int) -> Node | None:
        return self._by_numbers.get((layer, category, subcategory))

    def resolve(self, layer: str, category: str, subcategory: str) -> Node:
        """The node posted values mean. Raises InvalidTaxonomyPath naming the field, in the legacy server's words."""
        layer_entry = self.resolve_layer(layer)
        entry = layer_entry.find(category)
        if entry is None:
            raise InvalidTaxonomyPath(
                f"Invalid category: {shorten(category)} for layer: {layer_entry.code}", field="category"
            )
        node = entry.find(subcategory) or self._by_alias(layer_entry.code, entry.code, subcategory)
        if node is None:
            raise InvalidTaxonomyPath(
                f"Invalid subcategory: {shorten(subcategory)} for layer: {layer_entry.code}, category: {entry.name}",
                field="subcategory",
            )
        return node

    def resolve_layer(self, layer: str) -> LayerNode:
        text = layer.strip().upper()
        entry = self._layers_by_code.get(text)
        if entry is None and text.isascii() and text.isdigit() and len(text) <= 2:
            entry = self._layers_by_code.get(LAYER_LETTERS.get(int(text), ""))
        if entry is None:
            raise InvalidTaxonomyPath(f"Invalid layer: {shorten(layer)}", field="layer")
        return entry

    def get_layer(self, layer: str) -> LayerNode:
        """The layer of a URL. Raises NodeNotFound."""
        try:
            return self.resolve_layer(layer)
        except InvalidTaxonomyPath as error:
            raise NodeNotFound(f"Layer not found: {shorten(layer)}") from error

    def get_category(self, layer: str, category: str) -> tuple[LayerNode, CategoryNode]:
        layer_entry = self.get_layer(layer)
        entry = layer_entry.find(category)
        if entry is None:
            raise NodeNotFound(f"Category not found: {shorten(category)} in layer {layer_entry.code}")
        return layer_entry, entry

    def matching_nodes(
        self, *, layer: str | None = None, category: str | None = None, subcategory: str | None = None
    ) -> list[Node]:
        """Every node that a list's filters mean; none where nothing matches. Without a layer, all layers count."""
        layers = [entry for entry in self.layers if layer is None or entry.code == layer.strip().upper()]
        entries = [
            found
            for entry in layers
            for found in (entry.categories if category is None else filter(None, [entry.find(category)]))
        ]
        return [
            node
            for entry in entries
            for node in (entry.nodes if subcategory is None else filter(None, [entry.find(subcategory)]))
        ]

    def hfn_to_mfa(self, text: str, *, with_numeric_layer: bool = False) -> str:
        """Convert an HFN part by part; parts that are addresses already stay. Raises InvalidAddress."""
        base, *parts = split_composite(text)
        converted = [self._address_of_name(base, with_numeric_layer)]
        converted += [self._address_of_part(part, with_numeric_layer) for part in parts]
        return ":".join(converted)

    def mfa_to_hfn(self, text: str) -> str:
        """Convert an MFA of either notation part by part. Raises InvalidAddress."""
        base, *parts = split_composite(text)
        return ":".join([self._name_of_address(base), *[self._name_of_part(part) for part in parts]])

    def _address_of_name(self, text: str, with_numeric_layer: bool) -> str:
        try:
            name = parse_hfn(text, allow_placeholder=True)
        except InvalidAddress:
            name = self._parse_alias(text)
        target = self._aliases.get(f"{name.layer}.{name.category}.{name.subcategory}", "")
        codes = tuple(target.split(".")) if target else (name.layer, name.category, name.subcategory)
        node = self._by_codes.get(codes)  # type: ignore[arg-type]
        if node is None:
            raise InvalidAddress(f"Unknown taxonomy in HFN: {shorten(text)}")
        address = MachineFriendlyAddress(node.layer, node.category_number, node.number, name.number, name.suffix)
        return format_mfa(address, with_numeric_layer=with_numeric_layer)

    def _parse_alias(self, text: str) -> HumanFriendlyName:
        """`G.POP.SWIFT.001`: an alias may be longer than a code. Raises InvalidAddress."""
        for alias, target in self._aliases.items():
            if text.strip().upper().startswith(alias + "."):
                return parse_hfn(target + text.strip()[len(alias) :], allow_placeholder=True)
        return parse_hfn(text, allow_placeholder=True)

    def _name_of_address(self, text: str) -> str:
        address = parse_mfa(text, allow_placeholder=True)
        node = self._by_numbers.get((address.layer, address.category, address.subcategory))
        if node is None:
            raise InvalidAddress(f"Unknown taxonomy in MFA: {shorten(text)}")
        return format_hfn(HumanFriendlyName(node.layer, node.category_code, node.code, address.number, address.suffix))

    def _address_of_part(self, text: str, with_numeric_layer: bool) -> str:
        return self._address_of_name(self._name_of_part(text), with_numeric_layer)

    def _name_of_part(self, text: str) -> str:
        try:
            return self._name_of_address(text)
        except InvalidAddress:
            self._address_of_name(text, with_numeric_layer=False)  # known, or refused
            return format_hfn(self._parse_alias(text))

    def _by_alias(self, layer: str, category: str, subcategory: str) -> Node | None:
        text = subcategory.strip().upper().rpartition(".")[2]
        target = self._aliases.get(f"{layer}.{category}.{text}")
        return self._by_codes.get(tuple(target.split("."))) if target else None  # type: ignore[arg-type]


_lock = threading.Lock()
_current: TaxonomySnapshot | None = None


def current_taxonomy() -> TaxonomySnapshot:
    """The snapshot of the newest version; one small query, and a full read only when the version is new."""
    global _current
    version_pk = TaxonomyVersion.objects.current_pk()
    directory = _current
    if directory is None or directory.version_pk != version_pk:
        with _lock:
            directory = _current
            if directory is None or directory.version_pk != version_pk:  # nobody read it while this thread waited
                directory = _current = load_taxonomy()
    return directory


def clear_taxonomy_cache() -> None:
    """Drop this process's snapshot; the next use reads the tables again."""
    global _current
    _current = None


def load_taxonomy() -> TaxonomySnapshot:
    """Read all three levels now, past any snapshot."""
    while True:
        directory = _read_tables()
        # A change that landed between the queries would leave rows of two versions under one label.
        if directory.version_pk == TaxonomyVersion.objects.current_pk():
            return directory


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
        entry = CategoryNode(pk, code, number, name, tuple(nodes_by_category.get(pk, ())))
        categories.setdefault(layer, []).append(entry)
    layers = tuple(
        LayerNode(code, number, name, tuple(categories.get(code, ())))
        for code, number, name in Layer.objects.order_by("number").values_list("code", "number", "name")
    )
    return TaxonomySnapshot(version, layers)
