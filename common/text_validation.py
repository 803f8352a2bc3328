"""Validate texts: NFC, no NUL, no lone surrogates, no characters that change the order of displayed text."""

import math
import re
import unicodedata

from common.errors import InvalidInput

# Overrides, embeddings and isolates (Unicode TR9): "gpj.exe" can be made to read "exe.jpg".
BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
# Control characters other than tab, line feed and carriage return.
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
SURROGATES = re.compile("[\ud800-\udfff]")


_MAX_WHOLE_NUMBER = 2**63 - 1


def clean_text(value: object, *, field: str, max_length: int | None = None, is_single_line: bool = False) -> str:
    """Return the text in NFC. Raises InvalidInput naming `field`.

    `max_length` is in code points after NFC; longer text is an error, not truncated.
    """
    if not isinstance(value, str):
        raise InvalidInput(f"{field} must be a string", field=field)
    # Most texts are printable ASCII, which no rule below rejects or changes.
    text = value if value.isascii() and value.isprintable() else _clean_characters(value, field, is_single_line)
    if max_length is not None and len(text) > max_length:
        raise InvalidInput(f"{field} must be at most {max_length} characters, not {len(text)}", field=field)
    return text


def _clean_characters(value: str, field: str, is_single_line: bool) -> str:
    if SURROGATES.search(value):
        raise InvalidInput(f"{field} holds half of a character (a lone surrogate)", field=field)
    text = unicodedata.normalize("NFC", value)
    if CONTROLS.search(text) or (is_single_line and re.search(r"[\r\n\t]", text)):
        raise InvalidInput(f"{field} holds a control character", field=field)
    if BIDI_CONTROLS.search(text):
        raise InvalidInput(f"{field} holds a character that reorders text", field=field)
    return text


def validate_json(value: object, *, field: str, max_depth: int = 32) -> None:
    """Raise InvalidInput naming `field` for values that PostgreSQL or a JSON parser rejects.

    These are NUL, lone surrogates, NaN, infinity, integers over 64 bits and values nested deeper than `max_depth`.
    """
    stack: list[tuple[object, int]] = [(value, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > max_depth:
            raise InvalidInput(f"{field} is nested deeper than {max_depth} levels", field=field)
        if isinstance(node, str):
            if "\x00" in node or (not node.isascii() and SURROGATES.search(node)):
                raise InvalidInput(f"{field} holds a character that cannot be stored", field=field)
        elif isinstance(node, dict):
            stack += [(part, depth + 1) for pair in node.items() for part in pair]
        elif isinstance(node, list):
            stack += [(part, depth + 1) for part in node]
        elif isinstance(node, float):
            if not math.isfinite(node):
                raise InvalidInput(f"{field} holds a number that JSON does not know", field=field)
        elif isinstance(node, int) and abs(node) > _MAX_WHOLE_NUMBER:
            raise InvalidInput(f"{field} holds a number too large for its readers", field=field)
