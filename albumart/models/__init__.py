"""Rows of the picture pipeline: requests and what became of them, sources they come from, runs over many."""

from albumart.models.artworks import Artwork, ArtworkContent, ArtworkFile, ArtworkRun, ArtworkStep
from albumart.models.sources import ArtworkSource, CircuitChange

__all__ = [
    "Artwork", "ArtworkContent", "ArtworkFile", "ArtworkRun", "ArtworkSource", "ArtworkStep", "CircuitChange",
]  # fmt: skip
