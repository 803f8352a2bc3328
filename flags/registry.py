"""The flags the code asks for: each gates fields on the wire until it is on for the caller.

Off means: an answer as before the field existed. What a client sends is kept either way.
"""

from dataclasses import dataclass

CREATOR_DESCRIPTION = "creator_description"
ALBUM_ART = "album_art"
AI_METADATA = "ai_metadata"
SEARCH_CREATOR_DESCRIPTION = "search_creator_description"


@dataclass(frozen=True)
class Gate:
    """One flag: its name, what it is for, and what appears on the wire only while it is on."""

    name: str
    description: str
    fields: tuple[str, ...]


GATES: tuple[Gate, ...] = (
    Gate(CREATOR_DESCRIPTION, "What the creator wrote about the asset is part of answers.", ("creatorDescription",)),
    Gate(ALBUM_ART, "The album art of an asset is part of answers.", ("albumArt",)),
    Gate(AI_METADATA, "What a model found out about the asset is part of answers.", ("aiMetadata",)),
    Gate(
        SEARCH_CREATOR_DESCRIPTION,
        "Search also looks into what creators wrote.",
        ("search over creatorDescription",),
    ),
)
GATES_BY_NAME: dict[str, Gate] = {gate.name: gate for gate in GATES}
NAMES: frozenset[str] = frozenset(GATES_BY_NAME)
