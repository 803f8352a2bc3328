"""Admin pages of artwork."""

from albumart.admin import artworks, sources

__all__ = ["artworks", "sources"]
