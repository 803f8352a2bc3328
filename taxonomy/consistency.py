"""Checks that the tables equal the newest version and that addresses convert in both directions."""

import json

from taxonomy.addresses import LAYER_NUMBERS
from taxonomy.document import clean_document, digest_of
from taxonomy.errors import InvalidDocument
from taxonomy.models import Category, TaxonomyVersion
from taxonomy.snapshot_cache import load_taxonomy
from taxonomy.sync import read_tables


def find_errors() -> list[str]:
    """Return a sentence for each error."""
    version = TaxonomyVersion.objects.current()
    if version is None:
        return ["There is no taxonomy; import one"]
    errors = []
    tables = read_tables(json.loads(version.document))
    try:
        clean_document(tables)
    except InvalidDocument as error:
        errors += [detail.message for detail in error.field_errors]
    if digest_of(tables) != version.digest:
        errors.append(f"The tables differ from version {version.label}")
    taxonomy = load_taxonomy()
    for node in taxonomy.nodes():
        name = node.hfn(1)
        if taxonomy.mfa_to_hfn(taxonomy.hfn_to_mfa(name)) != name:
            errors.append(f"{name} does not convert to an MFA and back")
    existing = {layer.code for layer in taxonomy.layers}
    errors += [f"Layer {code} is missing" for code in LAYER_NUMBERS if code not in existing]
    return errors


def find_warnings() -> list[str]:
    """Return a sentence for each valid but unusual state."""
    return [f"{row} has no subcategory" for row in Category.objects.filter(subcategories=None).select_related("layer")]
