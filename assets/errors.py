"""Errors of assets."""

from common.errors import Conflict, InvalidInput, NotFound, UnsupportedMediaType


class AssetNotFound(NotFound):
    """No live asset has this name, address or id."""

    code = "asset_not_found"

    def __init__(self, key: str) -> None:
        super().__init__(f"Asset not found: {key}")


class ComponentNotFound(InvalidInput):
    """A component of a composite is not a live asset."""

    code = "component_not_found"


class ImmutableField(InvalidInput):
    """The name, address, taxonomy and components of a composite cannot change."""

    code = "identity_frozen"


class MediaTypeNotAllowed(UnsupportedMediaType):
    """The layer does not accept this media type."""

    code = "media_refused"


class DuplicateAddress(Conflict):
    """Two assets would have the same name or address."""

    code = "address_taken"
