"""The grammar of addresses. Pure.

    HFN           L.CAS.ATL.007      letters, for people
    stored MFA    L.004.004.007      letter of the layer, then numbers
    numeric MFA   3.004.004.007      number of the layer, then numbers

A composite is a base followed by the addresses of its components, each after a `:`; `+` is accepted too. A file
extension, `.set` or both may follow. Input may be in any case, output is upper case. A sequence number has at least
three digits; forms show `000` as the placeholder of a number that is not assigned yet.
"""

import re
from dataclasses import dataclass

from taxonomy.errors import InvalidAddress

LAYER_NUMBERS = {"G": 1, "S": 2, "L": 3, "M": 4, "W": 5, "B": 6, "P": 7, "T": 8, "C": 9, "R": 10}
LAYER_LETTERS = {number: letter for letter, number in LAYER_NUMBERS.items()}
MAX_ADDRESS_LENGTH = 600

_SUFFIX = r"(?:\.(?P<suffix>(?:set\.)?[a-z0-9]{1,5}))?"
_HFN = re.compile(
    r"(?P<layer>[GSLMWBPTCR])\.(?P<category>[A-Z0-9]{3})\.(?P<subcategory>[A-Z0-9]{3})\.(?P<number>[0-9]{3,9})"
    + _SUFFIX,
    re.IGNORECASE | re.ASCII,
)
_MFA = re.compile(
    r"(?P<layer>[GSLMWBPTCR]|10|[1-9])\.(?P<category>[0-9]{3})\.(?P<subcategory>[0-9]{3})\.(?P<number>[0-9]{3,9})"
    + _SUFFIX,
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True)
class HumanFriendlyName:
    """An HFN in upper case; `suffix` is the extension after it, or ""."""

    layer: str
    category: str
    subcategory: str
    number: int
    suffix: str = ""


@dataclass(frozen=True)
class MachineFriendlyAddress:
    """An MFA; `layer` is the letter in both notations."""

    layer: str
    category: int
    subcategory: int
    number: int
    suffix: str = ""


def format_number(number: int) -> str:
    """Format with at least three digits: `007`, `1000`."""
    return f"{number:03d}"


def format_hfn(name: HumanFriendlyName) -> str:
    return f"{name.layer}.{name.category}.{name.subcategory}.{format_number(name.number)}{_dotted(name.suffix)}"


def format_mfa(address: MachineFriendlyAddress, *, with_numeric_layer: bool = False) -> str:
    layer = LAYER_NUMBERS[address.layer] if with_numeric_layer else address.layer
    numbers = f"{address.category:03d}.{address.subcategory:03d}.{format_number(address.number)}"
    return f"{layer}.{numbers}{_dotted(address.suffix)}"


def parse_hfn(text: str, *, allow_placeholder: bool = False) -> HumanFriendlyName:
    """Parse one HFN without components. Raises InvalidAddress, for the number 000 unless `allow_placeholder`."""
    match = _HFN.fullmatch(_clean(text))
    if match is None:
        raise InvalidAddress(f"Invalid HFN: {shorten(text)}")
    return HumanFriendlyName(
        match["layer"].upper(),
        match["category"].upper(),
        match["subcategory"].upper(),
        _sequence_number(match["number"], text, allow_placeholder),
        (match["suffix"] or "").lower(),
    )


def parse_mfa(text: str, *, allow_placeholder: bool = False) -> MachineFriendlyAddress:
    """Parse one MFA of either notation, without components. Raises InvalidAddress, for 000 as `parse_hfn`."""
    match = _MFA.fullmatch(_clean(text))
    if match is None:
        raise InvalidAddress(f"Invalid MFA: {shorten(text)}")
    layer = match["layer"].upper()
    return MachineFriendlyAddress(
        LAYER_LETTERS[int(layer)] if layer.isdigit() else layer,
        int(match["category"]),
        int(match["subcategory"]),
        _sequence_number(match["number"], text, allow_placeholder),
        (match["suffix"] or "").lower(),
    )


def split_composite(text: str) -> list[str]:
    """Return base and components, or one entry for any other text. A separator at the end is dropped."""
    addresses = re.split(r"[:+]", _clean(text))
    while len(addresses) > 1 and not addresses[-1]:
        addresses.pop()
    return addresses


def shorten(text: object, max_length: int = 80) -> str:
    """Escape and truncate a client's text for a message."""
    escaped = str(text).encode("unicode_escape").decode("ascii")
    return escaped if len(escaped) <= max_length else escaped[: max_length - 1] + "…"


def _clean(text: object) -> str:
    if not isinstance(text, str):
        raise InvalidAddress("An address must be a string")
    if len(text) > MAX_ADDRESS_LENGTH:
        raise InvalidAddress(f"An address has at most {MAX_ADDRESS_LENGTH} characters")
    return text.strip()


def _sequence_number(digits: str, text: str, allow_placeholder: bool) -> int:
    if int(digits) == 0 and not allow_placeholder:
        raise InvalidAddress(f"Sequence numbers start at 001: {shorten(text)}")
    return int(digits)


def _dotted(suffix: str) -> str:
    return f".{suffix}" if suffix else ""
