import copy
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxonomy.document import clean_document, diff_documents, digest_of, next_label, serialize_document
from taxonomy.errors import InvalidDocument
from tests.factories.taxonomy import small_document


def errors_of(document):
    with pytest.raises(InvalidDocument) as caught:
        clean_document(document)
    return {error.field: error.message for error in caught.value.field_errors}


def category(document, index=0):
    return document["layers"][index]["categories"][0]


def test_minimal_document_is_canonical():
    assert clean_document(small_document()) == small_document()


def test_accepts_numbers_as_text_or_integers_and_codes_in_any_case():
    loose = small_document()
    category(loose).update(code="bas", numeric=1)
    loose["layers"][0]["numeric"] = "1"
    assert clean_document(loose) == small_document()


def test_reports_all_errors_with_their_paths():
    document = small_document(version=7)
    category(document, 0)["code"] = "TOOLONG"
    category(document, 1)["numeric"] = "abc"
    category(document, 2)["name"] = "nul\x01"
    category(document, 3)["subcategories"] = {}
    category(document, 4)["subcategories"].append("text")
    category(document, 5)["color"] = "red"
    document["layers"][6]["numeric"] = 9
    category(document, 7)["subcategories"].append({"code": "ONE", "numeric": 1, "name": "first"})
    assert set(errors_of(document)) == {
        "version",
        "layers[0].categories[0].code",
        "layers[1].categories[0].numeric",
        "layers[2].categories[0].name",
        "layers[3].categories[0].subcategories",
        "layers[4].categories[0].subcategories[1]",
        "layers[5].categories[0].color",
        "layers[6].numeric",
        "layers[7].categories[0].subcategories[1].code",
        "layers[7].categories[0].subcategories[1].numeric",
        "layers[7].categories[0].subcategories[1].name",
    }


@pytest.mark.parametrize("value", [None, [], "text", 5, {}, {"version": "1.0.0", "layers": "G"}])
def test_rejects_values_that_are_not_documents(value):
    with pytest.raises(InvalidDocument):
        clean_document(value)


def test_rejects_missing_and_unknown_layers():
    less, other = small_document(), small_document()
    less["layers"].pop()
    other["layers"][0]["code"] = "E"
    assert "R" in errors_of(less)["layers"]
    assert "layers[0].code" in errors_of(other)
    assert "lack" in errors_of(small_document(layers=[]))["layers"]


def test_rejects_a_name_that_is_a_number_or_the_code_of_a_sibling():
    document = small_document()
    subcategories = category(document)["subcategories"]
    subcategories += [{"code": "TWO", "numeric": 2, "name": "One"}, {"code": "003", "numeric": 3, "name": "4"}]
    path = "layers[0].categories[0].subcategories"
    assert set(errors_of(document)) == {f"{path}[1].name", f"{path}[2].code", f"{path}[2].name"}


def test_rejects_an_alias_of_an_unknown_subcategory():
    assert "aliases" in errors_of(small_document(aliases={"G.BAS.OLD": "G.BAS.NIX"}))
    assert "aliases" in errors_of(small_document(aliases=["G.BAS.ONE"]))
    assert clean_document(small_document(aliases={"G.BAS.OLD": "G.BAS.ONE"}))["aliases"]


def test_reports_at_most_1000_errors():
    document = small_document()
    category(document)["subcategories"] = ["no node"] * 200_000
    assert len(errors_of(document)) <= 1000


def test_rejects_deep_nesting():
    deep = value = []
    for _ in range(500):
        value.append([])
        value = value[0]
    assert "document" in errors_of(small_document(deprecated=deep))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.integers(0, 9), st.sampled_from(["code", "numeric", "name", "subcategories", "description"]))
def test_any_value_anywhere_is_accepted_or_raises_invalid_document(value, index, key):
    for change in (
        lambda d: d.update(layers=value),
        lambda d: d["layers"].__setitem__(index, value),
        lambda d: category(d, index).__setitem__(key, value),
        lambda d: category(d, index)["subcategories"][0].__setitem__(key, value),
        lambda d: d.update(aliases=value, version=value),
    ):
        document = small_document()
        change(document)
        with suppress(InvalidDocument):
            clean_document(document)


def test_digest_ignores_the_version():
    assert digest_of(small_document()) == digest_of(small_document(version="9.9.9"))
    assert digest_of(small_document()) != digest_of(small_document(deprecated=[1]))


def test_canonical_bytes_have_an_indentation_of_one_and_parse_back():
    written = serialize_document(small_document())
    assert written.startswith(b'{\n "version": "1.0.0",\n "layers": [\n  {\n   "code": "G"')
    assert json.loads(written) == small_document()


def test_diff_lists_each_changed_node_with_its_type():
    before, after = small_document(), copy.deepcopy(small_document())
    category(after)["subcategories"][0]["name"] = "Renamed"
    category(after, 1)["subcategories"] = [{"code": "TWO", "numeric": "002", "name": "Second"}]
    assert diff_documents(before, after) == [
        {"type": "modified", "layer": "G", "category": "BAS", "subcategory": "ONE"},
        {"type": "removed", "layer": "S", "category": "BAS", "subcategory": "ONE"},
        {"type": "added", "layer": "S", "category": "BAS", "subcategory": "TWO"},
    ]
    assert diff_documents(before, before) == []


@pytest.mark.parametrize(("label", "following"), [("1.3.0", "1.3.1"), ("1.9", "1.10"), ("beta", "beta.1")])
def test_next_label_increments_the_last_number(label, following):
    assert next_label(label) == following
