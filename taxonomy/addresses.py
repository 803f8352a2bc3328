"""The grammar of addresses. Pure: text in, values out.

    HFN           L.CAS.ATL.007      letters, what people read
    stored MFA    L.004.004.007      letter of the layer, then numbers
    numeric MFA   3.004.004.007      number of the layer, then numbers

A composite's name is its base followed by the addresses of its parts, each after a `:`; `+` is read too. A file
extension, `.set` or both may follow. Input is read in any case, output is upper case. A sequence number has at least
three digits; forms show `000` for a number that is not given yet.
"""

import re
from dataclasses import dataclass

from taxonomy.errors import InvalidAddress

LAYER_NUMBERS = {"G": 1, "S": 2, "L": 3, "M": 4, "W": 5, "B": 6, "P": 7, "T": 8, "C": 9, "R": 10}
LAYER_LETTERS = {number: letter for letter, number in LAYER_NUMBERS.items()}
MAX_ADDRESS_CHARS = 600
MAX_SEQUENCE_DIGITS = 9

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
    """The four parts of an HFN, upper case, and the extension that followed it ("" for none)."""

    layer: str
    category: str
    subcategory: str
    number: int
    suffix: str = ""


@dataclass(frozen=True)
class MachineFriendlyAddress:
    """The four parts of an MFA; the layer as its letter, whichever notation it came in."""

    layer: str
    category: int
    subcategory: int
    number: int
    suffix: str = ""


def format_number(number: int) -> str:
    """Three digits, four after 999, and so on."""
    return f"{number:03d}"


def format_hfn(name: HumanFriendlyName) -> str:
    return f"{name.layer}.{name.category}.{name.subcategory}.{format_number(name.number)}{_dotted(name.suffix)}"


def format_mfa(address: MachineFriendlyAddress, *, with_numeric_layer: bool = False) -> str:
    layer = LAYER_NUMBERS[address.layer] if with_numeric_layer else address.layer
    numbers = f"{address.category:03d}.{address.subcategory:03d}.{format_number(address.number)}"
    return f"{layer}.{numbers}{_dotted(address.suffix)}"


def parse_hfn(text: str, *, allow_placeholder: bool = False) -> HumanFriendlyName:
    """One HFN without parts; number 000 only where a placeholder is allowed. Raises InvalidAddress."""
    match = _HFN.fullmatch(_checked(text))
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
    """One MFA of either notation, without parts; 000 as for `parse_hfn`. Raises InvalidAddress."""
    match = _MFA.fullmatch(_checked(text))
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
    """Base and parts of a composite; one entry for anything else. A bare separator at the end is dropped."""
    parts = re.split(r"[:+]", _checked(text))
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def shorten(text: object, max_chars: int = 80) -> str:
    """A stranger's text, fit to be shown in a message."""
    shown = str(text).encode("unicode_escape").decode("ascii")
    return shown if len(shown) <= max_chars else shown[: max_chars - 1] + "…"


def _checked(text: object) -> str:
    if not isinstance(text, str):
        raise InvalidAddress("An address must be a string")
    if len(text) > MAX_ADDRESS_CHARS:
        raise InvalidAddress(f"An address has at most {MAX_ADDRESS_CHARS} characters")
    return text.strip()


def _sequence_number(digits: str, text: str, allow_placeholder: bool) -> int:
    if int(digits) == 0 and not allow_placeholder:
        raise InvalidAddress(f"Sequence numbers start at 001: {shorten(text)}")
    return int(digits)


def _dotted(suffix: str) -> str:
    return f".{suffix}" if suffix else ""
