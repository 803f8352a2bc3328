"""What can go wrong with assets."""

from common.errors import Conflict, InvalidInput, NotFound, UnsupportedMediaType


class AssetNotFound(NotFound):
    """No live asset has this name, address or id."""

    code = "asset_not_found"

    def __init__(self, key: str) -> None:
        super().__init__(f"Asset not found: {key}")


class ComponentNotFound(InvalidInput):
    """A composite names a part that is no live asset."""

    code = "component_not_found"


class ImmutableField(InvalidInput):
    """Name, address, taxonomy and a composite's parts are given once."""

    code = "identity_frozen"


class MediaTypeNotAllowed(UnsupportedMediaType):
    """The file is not of a kind this layer takes."""

    code = "media_refused"


class DuplicateAddress(Conflict):
    """Two assets would share a name or an address."""

    code = "address_taken"
