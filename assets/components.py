"""Components of a composite: addresses of live assets."""

from collections.abc import Sequence

from assets.errors import ComponentNotFound
from assets.lookup import get_assets_by_reference
from common.errors import InvalidInput
from taxonomy.snapshot import TaxonomySnapshot

MAX_COMPONENTS = 10  # the frontend's own limit
COMPONENT_LAYERS = "GSLMWBP"


def clean_components(references: Sequence[str], *, layer: str, taxonomy: TaxonomySnapshot) -> list[str]:
    """Return the addresses of the referenced assets in their order, without blank references.

    A reference is a name, an address in either notation, or an id. Raises ComponentNotFound for a reference to no live
    asset, and InvalidInput for too many components, a repeated one, or a composite inside a composite.
    """
    references = [reference.strip() for reference in references if reference.strip()]
    if not references:
        return []
    if len(references) > MAX_COMPONENTS:
        raise InvalidInput(f"components must be at most {MAX_COMPONENTS}, not {len(references)}", field="components")
    found = get_assets_by_reference(references, taxonomy)
    addresses = []
    for reference in references:
        if reference not in found:
            raise ComponentNotFound(f"Component not found: {reference}", field="components")
        _, component_layer, address = found[reference]
        if layer == "C" and component_layer not in COMPONENT_LAYERS:
            raise InvalidInput(
                f"components of a composite come from layers {', '.join(COMPONENT_LAYERS)}: {reference}",
                field="components",
            )
        if address in addresses:
            raise InvalidInput(f"components name {reference} twice", field="components")
        addresses.append(address)
    return addresses
