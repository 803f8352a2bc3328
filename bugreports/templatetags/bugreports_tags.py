"""Template filters for untrusted text. They return plain strings, which templates escape."""

import json
import re
from typing import Any

from django import template

from common.text_validation import BIDI_CONTROLS, CONTROLS

register = template.Library()

_INVISIBLE = re.compile(f"{BIDI_CONTROLS.pattern}|{CONTROLS.pattern}|[\u200b-\u200d\u2060\ufeff\u00ad]")


@register.filter
def visible(text: Any) -> str:
    """Replace invisible and bidirectional control characters by their code points."""
    return _INVISIBLE.sub(lambda match: f"⟦U+{ord(match[0]):04X}⟧", "" if text is None else str(text))


@register.filter
def as_json(value: Any) -> str:
    return visible(json.dumps(value, indent=2, ensure_ascii=False))


@register.filter
def as_text(value: Any) -> str:
    """Return text unchanged and other values as JSON on one line."""
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
