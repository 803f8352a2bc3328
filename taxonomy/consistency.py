"""Do the tables say what the newest version says, and does every address convert there and back?"""

import json

from taxonomy.addresses import LAYER_NUMBERS
from taxonomy.document import clean_document, digest_of
from taxonomy.errors import InvalidDocument
from taxonomy.models import Category, TaxonomyVersion
from taxonomy.snapshot import load_taxonomy
from taxonomy.sync import read_tables


def find_errors() -> list[str]:
    """A sentence for each thing that is wrong."""
    version = TaxonomyVersion.objects.current()
    if version is None:
        return ["There is no taxonomy; import one"]
    problems = []
    tables = read_tables(json.loads(version.document))
    try:
        clean_document(tables)
    except InvalidDocument as error:
        problems += [fault.message for fault in error.field_errors]
    if digest_of(tables) != version.digest:
        problems.append(f"The tables differ from version {version.label}")
    directory = load_taxonomy()
    for node in directory.nodes():
        name = node.hfn(1)
        if directory.mfa_to_hfn(directory.hfn_to_mfa(name)) != name:
            problems.append(f"{name} does not come back from its address")
    problems += [f"Layer {code} is missing" for code in LAYER_NUMBERS if code not in {e.code for e in directory.layers}]
    return problems


def find_warnings() -> list[str]:
    """What is allowed but worth a look."""
    return [f"{row} has no subcategory" for row in Category.objects.filter(subcategories=None).select_related("layer")]
