"""The parts of a composite: live assets, in the form of their addresses."""

from collections.abc import Sequence

from assets.errors import ComponentNotFound
from assets.lookup import get_assets_by_reference
from common.errors import InvalidInput
from taxonomy.snapshot import TaxonomySnapshot

MAX_COMPONENTS = 10  # the frontend's own limit
COMPONENT_LAYERS = "GSLMWBP"


def clean_components(references: Sequence[str], *, layer: str, directory: TaxonomySnapshot) -> list[str]:
    """Addresses of the referenced assets, in the order given; blanks are dropped.

    A reference is a name, an address in either notation, or an id. Raises ComponentNotFound for one that is no
    live asset and Invalid for too many, for a repeated one, or for a composite inside a composite.
    """
    wanted = [reference.strip() for reference in references if reference.strip()]
    if not wanted:
        return []
    if len(wanted) > MAX_COMPONENTS:
        raise InvalidInput(f"components must be at most {MAX_COMPONENTS}, not {len(wanted)}", field="components")
    found = get_assets_by_reference(wanted, directory)
    addresses = []
    for reference in wanted:
        if reference not in found:
            raise ComponentNotFound(f"Component not found: {reference}", field="components")
        _, part_layer, address = found[reference]
        if layer == "C" and part_layer not in COMPONENT_LAYERS:
            raise InvalidInput(
                f"components of a composite come from layers {', '.join(COMPONENT_LAYERS)}: {reference}",
                field="components",
            )
        if address in addresses:
            raise InvalidInput(f"components name {reference} twice", field="components")
        addresses.append(address)
    return addresses
