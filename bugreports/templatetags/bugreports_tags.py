"""Texts of strangers in templates: everything in them is shown, nothing in them does anything.

The filters give plain strings, which templates escape.
"""

import json
import re
from typing import Any

from django import template

from common.text_validation import BIDI_CONTROLS, CONTROLS

register = template.Library()

_INVISIBLE = re.compile(f"{BIDI_CONTROLS.pattern}|{CONTROLS.pattern}|[\u200b-\u200d\u2060\ufeff\u00ad]")


@register.filter
def visible(text: Any) -> str:
    """Characters that hide or reorder others stand there by their number."""
    return _INVISIBLE.sub(lambda match: f"⟦U+{ord(match[0]):04X}⟧", "" if text is None else str(text))


@register.filter
def as_json(value: Any) -> str:
    return visible(json.dumps(value, indent=2, ensure_ascii=False))


@register.filter
def as_text(value: Any) -> str:
    """Texts as they are, anything else as JSON on one line."""
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
