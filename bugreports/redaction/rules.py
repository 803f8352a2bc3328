"""Redaction rules as a document, with which clients preview redactions.

`contracts/redaction_rules.json` is its recording. The server's redaction is authoritative and stricter.
"""

import re
from typing import Any

from bugreports.redaction.keys import CONTAINED_NAMES, EQUAL_NAMES, SAFE_NAMES
from bugreports.redaction.patterns import EMAIL, MASKED_EMAIL, PATTERNS, PEM, REDACTED, USER_INFO


def rules_document() -> dict[str, Any]:
    return {
        "version": 1,
        "replacement": REDACTED,
        "names": {
            "ignored_in_names": "-_ $",
            "contain": [word.replace(" ", "") for word in CONTAINED_NAMES],
            "equal": [word.replace(" ", "") for word in EQUAL_NAMES],
            "never": list(SAFE_NAMES),
        },
        "texts": [
            {"rule": pattern.rule, "regex": _for_browsers(pattern.regex.pattern), "flags": _flags(pattern.regex)}
            for pattern in (PEM, USER_INFO, *PATTERNS, EMAIL)
        ],
        "replacement_of_email": MASKED_EMAIL,
    }


def _for_browsers(regex: str) -> str:
    return regex.removeprefix("(?i)").replace(r"\Z", "$")


def _flags(regex: re.Pattern[str]) -> str:
    return "g" + ("i" if regex.flags & re.IGNORECASE else "") + ("s" if regex.flags & re.DOTALL else "")
