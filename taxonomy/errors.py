"""Errors of addresses and of the taxonomy."""

from common.errors import Conflict, InvalidInput, NotFound


class InvalidAddress(InvalidInput):
    """The text is not an address, or its codes or numbers do not exist."""

    code = "invalid_address"


class InvalidTaxonomyPath(InvalidInput):
    """A layer, category or subcategory in a request body does not exist."""

    code = "invalid_taxonomy_path"


class NodeNotFound(NotFound):
    """A layer, category or subcategory in a URL does not exist."""

    code = "taxonomy_not_found"


class InvalidDocument(InvalidInput):
    """A taxonomy document is invalid; `field_errors` lists all errors."""

    code = "validation_failed"


class DuplicateNode(Conflict):
    """A sibling has this code, number or name."""

    code = "duplicate_node"


class TaxonomyNotLoaded(NotFound):
    """No taxonomy has been imported yet."""

    code = "taxonomy_missing"


class NodeInUse(Conflict):
    """Assets use the node, so its code, number and name cannot change."""

    code = "node_in_use"
