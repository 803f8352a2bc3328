"""The gated fields there are."""

from dataclasses import dataclass

CREATOR_DESCRIPTION = "creator_description"
ALBUM_ART = "album_art"
AI_METADATA = "ai_metadata"
SEARCH_CREATOR_DESCRIPTION = "search_creator_description"
ALBUM_ART_PIPELINE = "album_art_pipeline"


@dataclass(frozen=True)
class GatedField:
    """A flag and what answers lack while it is off. What clients send is kept either way."""

    flag: str
    gates: str
    description: str
    keys: tuple[str, ...] = ()  # of answers
    is_targetable: bool = True  # False: work for nobody in particular, so that only On for everyone counts


GATED_FIELDS: tuple[GatedField, ...] = (
    GatedField(
        CREATOR_DESCRIPTION, "creatorDescription", "The creator's own words are shown.", keys=("creatorDescription",)
    ),
    GatedField(
        ALBUM_ART,
        "albumArt, albumArtDetails",
        "The picture of a song is shown.",
        keys=("albumArt", "albumArtDetails"),
    ),
    GatedField(
        AI_METADATA,
        "aiMetadata, and its texts in search",
        "What a model wrote is shown and found.",
        keys=("aiMetadata",),
    ),
    GatedField(SEARCH_CREATOR_DESCRIPTION, "creatorDescription in search", "The creator's own words are found."),
    GatedField(
        ALBUM_ART_PIPELINE,
        "fetching and storing of pictures",
        "Pictures asked for are fetched; off, requests wait. Workers serve nobody in particular: "
        "only On for everyone counts.",
        is_targetable=False,
    ),
)
GATED_FIELDS_BY_FLAG = {field.flag: field for field in GATED_FIELDS}
FLAG_NAMES = frozenset(GATED_FIELDS_BY_FLAG)
