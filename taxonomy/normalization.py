"""Spelling rules of nodes: how codes, numbers and names are compared, and their limits. Pure."""

import re

CODE = re.compile(r"[A-Z0-9]{3}", re.ASCII)
CODE_RULE = "must be three letters or digits, one of them a letter"
NUMBER_RULE = "must be 001 to 999"
MAX_NAME_LENGTH = 100
MAX_DESCRIPTION_LENGTH = 500


def normalize_name(text: str) -> str:
    """Return the key for comparing names: case folded, `_` for `-` and spaces, numbers with three digits."""
    key = text.strip().casefold().replace("-", "_").replace(" ", "_")
    return f"{int(key):03d}" if key.isascii() and key.isdigit() and len(key) <= 9 else key


def is_code(text: str) -> bool:
    """True for three letters or digits. Digits alone are no code: HFN and MFA could not be told apart."""
    return bool(CODE.fullmatch(text)) and not text.isdigit()


def is_number(number: int) -> bool:
    return 1 <= number <= 999
