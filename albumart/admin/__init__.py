"""Pages of the picture pipeline."""

from albumart.admin import artworks, runs, sources

__all__ = ["artworks", "runs", "sources"]
