"""The gated fields. Pure."""

from dataclasses import dataclass

CREATOR_DESCRIPTION = "creator_description"
ALBUM_ART = "album_art"
AI_METADATA = "ai_metadata"
SEARCH_CREATOR_DESCRIPTION = "search_creator_description"
ALBUM_ART_PIPELINE = "album_art_pipeline"


@dataclass(frozen=True)
class GatedField:
    """A flag and what it gates. Input of clients is stored even if the flag is off."""

    flag: str
    gated_text: str
    description: str
    api_keys: tuple[str, ...] = ()  # keys that responses omit while the flag is off
    is_targetable: bool = True  # False for work without a caller, where only On for everyone applies


GATED_FIELDS: tuple[GatedField, ...] = (
    GatedField(
        CREATOR_DESCRIPTION, "creatorDescription", "Shows the creator's description.", api_keys=("creatorDescription",)
    ),
    GatedField(
        ALBUM_ART,
        "albumArt, albumArtDetails",
        "Shows the album art of songs.",
        api_keys=("albumArt", "albumArtDetails"),
    ),
    GatedField(
        AI_METADATA,
        "aiMetadata, also in search",
        "Shows and searches metadata from AI models.",
        api_keys=("aiMetadata",),
    ),
    GatedField(SEARCH_CREATOR_DESCRIPTION, "creatorDescription in search", "Searches the creator's description."),
    GatedField(
        ALBUM_ART_PIPELINE,
        "fetching and storing of album art",
        "Workers fetch requested album art; while it is off, requests wait. Only On for everyone applies.",
        is_targetable=False,
    ),
)
GATED_FIELDS_BY_FLAG = {field.flag: field for field in GATED_FIELDS}
FLAG_NAMES = frozenset(GATED_FIELDS_BY_FLAG)
