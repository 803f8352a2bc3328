"""Tables of artwork requests, their sources and the cohorts of runs."""

from albumart.models.artworks import Artwork, ArtworkCohort, ArtworkCohortSong, ArtworkContent, ArtworkFile, ArtworkStep
from albumart.models.sources import ArtworkSource, CircuitChange

__all__ = [
    "Artwork", "ArtworkCohort", "ArtworkCohortSong", "ArtworkContent", "ArtworkFile", "ArtworkSource", "ArtworkStep",
    "CircuitChange",
]  # fmt: skip
