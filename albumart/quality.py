"""Quality of a picture, computed from what was measured. Pure.

The rule has a number, kept with its inputs beside every result: a new rule tells which results are old.
"""

from collections.abc import Mapping
from typing import Any

RULE_VERSION = 1

HIGH, MEDIUM, LOW = "High", "Medium", "Low"
RANK = {LOW: 0, MEDIUM: 1, HIGH: 2}

HIGH_SHORT_SIDE_PX = 1000  # covers are sold at 1400 and more; shown full screen they need about this
MEDIUM_SHORT_SIDE_PX = 500  # the largest size we make: less would have to be enlarged by the client
SQUARE_TOLERANCE = 0.02
NEAR_SQUARE_TOLERANCE = 0.15
HIGH_JPEG_QUALITY = 75  # below it blocks become visible on flat colour
MEDIUM_JPEG_QUALITY = 50
BLANK_DEVIATION = 2.0  # of 255: one colour, or noise of the encoder around one


def assess_quality(facts: Mapping[str, Any]) -> str:
    """`High`, `Medium` or `Low` for `width`, `height`, `jpeg_quality` (None: lossless) and `luma_deviation` (0..128).

    Each fact sets an upper bound; the lowest bound is the result.
    """
    return min((_by_size(facts), _by_shape(facts), _by_compression(facts), _by_content(facts)), key=RANK.__getitem__)


def _by_size(facts: Mapping[str, Any]) -> str:
    short_side = min(facts["width"], facts["height"])
    return HIGH if short_side >= HIGH_SHORT_SIDE_PX else MEDIUM if short_side >= MEDIUM_SHORT_SIDE_PX else LOW


def _by_shape(facts: Mapping[str, Any]) -> str:
    off_square = 1 - min(facts["width"], facts["height"]) / max(facts["width"], facts["height"])
    return HIGH if off_square <= SQUARE_TOLERANCE else MEDIUM if off_square <= NEAR_SQUARE_TOLERANCE else LOW


def _by_compression(facts: Mapping[str, Any]) -> str:
    quality = facts.get("jpeg_quality")
    if quality is None or quality >= HIGH_JPEG_QUALITY:
        return HIGH
    return MEDIUM if quality >= MEDIUM_JPEG_QUALITY else LOW


def _by_content(facts: Mapping[str, Any]) -> str:
    return LOW if facts["luma_deviation"] < BLANK_DEVIATION else HIGH
