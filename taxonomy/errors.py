"""What can go wrong with addresses and with the taxonomy."""

from common.errors import Conflict, InvalidInput, NotFound


class InvalidAddress(InvalidInput):
    """The text is no address, or one of numbers or codes nobody has."""

    code = "invalid_address"


class InvalidTaxonomyPath(InvalidInput):
    """A posted layer, category or subcategory does not exist."""

    code = "invalid_taxonomy_path"


class NodeNotFound(NotFound):
    """A layer, category or subcategory asked for by path does not exist."""

    code = "taxonomy_not_found"


class InvalidDocument(InvalidInput):
    """A taxonomy document has field_errors; all of them are listed."""

    code = "validation_failed"


class DuplicateNode(Conflict):
    """A sibling has that code, number or name already."""

    code = "duplicate_node"


class TaxonomyNotLoaded(NotFound):
    """No taxonomy has been imported yet."""

    code = "taxonomy_missing"


class NodeInUse(Conflict):
    """Assets stand under the node, so its code, number and name stay as they are."""

    code = "node_in_use"
