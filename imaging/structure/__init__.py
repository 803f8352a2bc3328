"""Parse the structure of JPEG, PNG and WebP without a decoder, and remove metadata."""

from imaging.structure.inspection import inspect, strip_metadata, strip_to_image_data
from imaging.structure.limits import ImageLimits, ImageStructure

__all__ = ["ImageLimits", "ImageStructure", "inspect", "strip_metadata", "strip_to_image_data"]
