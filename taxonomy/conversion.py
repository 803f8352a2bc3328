"""Conversion between HFN and MFA. Pure."""

from collections.abc import Mapping
from functools import cached_property

from taxonomy.addresses import (
    HumanFriendlyName,
    MachineFriendlyAddress,
    format_hfn,
    format_mfa,
    parse_hfn,
    parse_mfa,
    shorten,
    split_composite,
)
from taxonomy.errors import InvalidAddress

Codes = tuple[str, str, str]
Numbers = tuple[str, int, int]


class AddressConverter:
    """Converts addresses by the nodes of one taxonomy; never changed after it is built.

    `numbers` maps (layer, category code, code) to (layer, category number, number). `aliases` maps a dotted path, such
    as `G.POP.SWIFT`, to the dotted path of a node.
    """

    def __init__(self, numbers: Mapping[Codes, Numbers], aliases: Mapping[str, str]) -> None:
        self._numbers = numbers
        self._aliases = {alias.upper(): target.upper() for alias, target in aliases.items()}

    @cached_property
    def _codes(self) -> dict[Numbers, Codes]:
        return {numbers: codes for codes, numbers in self._numbers.items()}

    def resolve_alias(self, path: str) -> Codes | None:
        """Return the codes of the node that an alias, in upper case, stands for."""
        target = self._aliases.get(path)
        return tuple(target.split(".")) if target else None  # type: ignore[return-value]

    def hfn_to_mfa(self, text: str, *, with_numeric_layer: bool = False) -> str:
        """Convert base and components of an HFN. Components may be MFAs already. Raises InvalidAddress."""
        base, *components = split_composite(text)
        converted = [self._to_mfa(base, with_numeric_layer)]
        converted += [self._to_mfa(self._component_to_hfn(text), with_numeric_layer) for text in components]
        return ":".join(converted)

    def mfa_to_hfn(self, text: str) -> str:
        """Convert base and components of an MFA, with either notation of the layer. Raises InvalidAddress."""
        base, *components = split_composite(text)
        return ":".join([self._to_hfn(base), *[self._component_to_hfn(text) for text in components]])

    def _to_mfa(self, text: str, with_numeric_layer: bool) -> str:
        try:
            name = parse_hfn(text, allow_placeholder=True)
        except InvalidAddress:
            name = self._parse_alias(text)
        codes = (name.layer, name.category, name.subcategory)
        numbers = self._numbers.get(self.resolve_alias(".".join(codes)) or codes)
        if numbers is None:
            raise InvalidAddress(f"Unknown taxonomy in HFN: {shorten(text)}")
        address = MachineFriendlyAddress(*numbers, name.number, name.suffix)
        return format_mfa(address, with_numeric_layer=with_numeric_layer)

    def _parse_alias(self, text: str) -> HumanFriendlyName:
        """Parse an HFN with an alias, which may be longer than a code: `G.POP.SWIFT.001`. Raises InvalidAddress."""
        for alias, target in self._aliases.items():
            if text.strip().upper().startswith(alias + "."):
                return parse_hfn(target + text.strip()[len(alias) :], allow_placeholder=True)
        return parse_hfn(text, allow_placeholder=True)

    def _to_hfn(self, text: str) -> str:
        address = parse_mfa(text, allow_placeholder=True)
        codes = self._codes.get((address.layer, address.category, address.subcategory))
        if codes is None:
            raise InvalidAddress(f"Unknown taxonomy in MFA: {shorten(text)}")
        return format_hfn(HumanFriendlyName(*codes, address.number, address.suffix))

    def _component_to_hfn(self, text: str) -> str:
        try:
            return self._to_hfn(text)
        except InvalidAddress:
            self._to_mfa(text, with_numeric_layer=False)  # raises InvalidAddress for an unknown node
            return format_hfn(self._parse_alias(text))
