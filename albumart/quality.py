"""Quality of artwork, computed from its measurements. Pure.

Each result is stored with the measurements and the version of the rule, so that results of an old version are found.
"""

from collections.abc import Mapping
from typing import Any

RULE_VERSION = 1

HIGH, MEDIUM, LOW = "High", "Medium", "Low"
RANK = {LOW: 0, MEDIUM: 1, HIGH: 2}

HIGH_SHORT_SIDE_PX = 1000  # stores sell covers of 1400 px and more; a full screen needs about 1000
MEDIUM_SHORT_SIDE_PX = 500  # the largest rendition: clients would enlarge a smaller image
SQUARE_TOLERANCE = 0.02
NEAR_SQUARE_TOLERANCE = 0.15
HIGH_JPEG_QUALITY = 75  # below it, blocks are visible in areas of one color
MEDIUM_JPEG_QUALITY = 50
BLANK_DEVIATION = 2.0  # of 255; a lower deviation is one color with the noise of the encoder


def assess_quality(measurements: Mapping[str, Any]) -> str:
    """Return `High`, `Medium` or `Low`: the lowest of the bounds that the measurements set.

    Measurements are `width`, `height`, `jpeg_quality` (None: lossless) and `luma_deviation` (0 to 128).
    """
    return min(
        (_by_size(measurements), _by_shape(measurements), _by_compression(measurements), _by_content(measurements)),
        key=RANK.__getitem__,
    )


def _by_size(measurements: Mapping[str, Any]) -> str:
    short_side = min(measurements["width"], measurements["height"])
    return HIGH if short_side >= HIGH_SHORT_SIDE_PX else MEDIUM if short_side >= MEDIUM_SHORT_SIDE_PX else LOW


def _by_shape(measurements: Mapping[str, Any]) -> str:
    off_square = 1 - min(measurements["width"], measurements["height"]) / max(
        measurements["width"], measurements["height"]
    )
    return HIGH if off_square <= SQUARE_TOLERANCE else MEDIUM if off_square <= NEAR_SQUARE_TOLERANCE else LOW


def _by_compression(measurements: Mapping[str, Any]) -> str:
    quality = measurements.get("jpeg_quality")
    if quality is None or quality >= HIGH_JPEG_QUALITY:
        return HIGH
    return MEDIUM if quality >= MEDIUM_JPEG_QUALITY else LOW


def _by_content(measurements: Mapping[str, Any]) -> str:
    return LOW if measurements["luma_deviation"] < BLANK_DEVIATION else HIGH
