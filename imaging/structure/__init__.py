"""What a JPEG, PNG or WebP is, told from its structure alone; and the same picture without its metadata."""

from imaging.structure.inspection import inspect, strip_metadata, strip_to_image_data
from imaging.structure.limits import ImageLimits, ImageStructure

__all__ = ["ImageLimits", "ImageStructure", "inspect", "strip_metadata", "strip_to_image_data"]
