"""What a JPEG, PNG or WebP is, told from its structure alone; and the same picture without its metadata."""

from common.images.structure.facts import ImageLimits, ImageStructure
from common.images.structure.inspection import inspect, keep_picture_only, strip_metadata

__all__ = ["ImageLimits", "ImageStructure", "inspect", "keep_picture_only", "strip_metadata"]
