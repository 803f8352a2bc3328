"""Types from bytes, and the texts of an asset: pure rules under generated input."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.ai_metadata import validate_ai_metadata
from assets.api.legacy_forms import read_list
from assets.descriptions import check_album_art, normalize_creator_description
from assets.errors import MediaTypeNotAllowed
from assets.media_types import HEAD_BYTES, TYPES_BY_LAYER, sniff_mime_type, validate_media
from common.errors import InvalidInput
from tests.support.media import make_jpeg, make_mp3, make_mp4, make_png, make_svg, make_wav

SIGNATURES = [
    (make_png(), "image/png"),
    (make_jpeg(), "image/jpeg"),
    (b"GIF89a" + bytes(20), "image/gif"),
    (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
    (make_svg(), "image/svg+xml"),
    (b"\xef\xbb\xbf  <svg></svg>", "image/svg+xml"),
    (make_wav(), "audio/wav"),
    (make_mp3(), "audio/mpeg"),
    (b"ID3\x04" + bytes(20), "audio/mpeg"),
    (b"\xff\xf1\x50\x80" + bytes(20), "audio/aac"),
    (b"fLaC" + bytes(40), "audio/flac"),
    (b"OggS" + bytes(40), "audio/ogg"),
    (b"OggS" + bytes(24) + b"\x80theora", "video/ogg"),
    (make_mp4(), "video/mp4"),
    (make_mp4(b"M4A "), "audio/mp4"),
    (make_mp4(b"qt  "), "video/quicktime"),
    (b"\x1aE\xdf\xa3" + bytes(20), "video/webm"),
    (b"glTF\x02\x00\x00\x00", "model/gltf-binary"),
    (b'{"asset":{},"scenes":[]}', "model/gltf+json"),
    (b'[{"frame":1}]', "application/json"),
    (b"", ""),
    (b"just text", ""),
    (b"<html><body><svg></svg></body></html>", "text/html"),
    (b"{\xff\xfe and no text at all", ""),
]


@pytest.mark.parametrize(("head", "expected"), SIGNATURES)
def test_a_signature_tells_the_type(head: bytes, expected: str) -> None:
    assert sniff_mime_type(head) == expected


@given(st.binary(max_size=400) | st.sampled_from([head for head, _ in SIGNATURES]), st.text(max_size=40))
@settings(max_examples=50, deadline=None)
def test_any_bytes_under_any_name_are_a_type_or_a_refusal(head: bytes, filename: str) -> None:
    for layer, types in TYPES_BY_LAYER.items():
        try:
            found = validate_media(layer=layer, filename=filename, head=head, is_whole=True, is_enforced=True)
        except MediaTypeNotAllowed as error:
            assert error.field_errors[0].field == "file"  # noqa: PT017
        else:
            assert found.mime_type in types
            assert found.extension.isalnum()
            assert found.extension == found.extension.lower()
        loose = validate_media(layer=layer, filename=filename, head=head, is_whole=True, is_enforced=False)
        assert 1 <= len(loose.extension) <= 5
        assert loose.extension.isascii()


def test_json_whose_last_character_is_cut_by_our_own_limit_is_json() -> None:
    head = ('{"name": "' + "é" * HEAD_BYTES).encode()[:HEAD_BYTES]
    assert sniff_mime_type(head) == "application/json"
    assert validate_media(layer="M", filename="a.json", head=head, is_whole=False, is_enforced=True).extension == "json"


NAME = "C.MIX.OFF.001:G.001.002.001"


@given(st.none() | st.text(), st.none() | st.text(min_size=1))
def test_creator_s_words_are_kept_as_they_came_or_are_none(incoming: str | None, stored: str | None) -> None:
    kept = normalize_creator_description(incoming, stored=stored, name=NAME)
    assert kept in (incoming, None)
    if incoming and incoming.strip() and incoming.strip().upper() not in (NAME, "C.MIX.OFF.001"):
        assert kept == incoming


@pytest.mark.parametrize("text", [NAME, NAME.lower(), " C.MIX.OFF.001 "])
def test_the_name_is_no_word_of_the_creator_unless_there_were_words(text: str) -> None:
    assert normalize_creator_description(text, stored=None, name=NAME) is None
    assert normalize_creator_description(text, stored="mine", name=NAME) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=10), parts, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_any_album_art_is_an_address_or_a_refusal(value: Any) -> None:
    try:
        kept = check_album_art(value)
    except InvalidInput as error:
        assert error.field_errors[0].field == "albumArt"  # noqa: PT017
    else:
        assert kept is None or kept.startswith(("http://", "https://", "data:image/", "HTTP", "Http"))


def test_an_object_s_source_address_counts_as_album_art() -> None:
    assert check_album_art({"sourceUrl": "https://a.example/x"}) == "https://a.example/x"
    assert check_album_art({"url": "https://a.example/y"}) == "https://a.example/y"
    assert check_album_art({}) is None
    assert check_album_art("data:image/png;base64,AAAA") == "data:image/png;base64,AAAA"


KNOWN = st.sampled_from(["mood", "genre", "bpm", "tags", "confidence", "generatedDescription", "own"])


@given(JSON | st.dictionaries(KNOWN, JSON, max_size=5))
def test_any_ai_metadata_is_kept_whole_or_refused(value: Any) -> None:
    try:
        kept = validate_ai_metadata(value, max_bytes=65536)
    except InvalidInput as error:
        assert all(fault.field.startswith("aiMetadata") for fault in error.field_errors)  # noqa: PT017
    else:
        assert kept == value
        assert kept is None or isinstance(kept.get("mood"), str | None)


def test_every_wrong_known_key_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_ai_metadata({"mood": 1, "bpm": "fast", "tags": [1], "confidence": -1, "own": 5}, max_bytes=1000)
    assert {fault.field for fault in caught.value.field_errors} == {
        "aiMetadata.mood", "aiMetadata.bpm", "aiMetadata.tags", "aiMetadata.confidence",
    }  # fmt: skip
    with pytest.raises(InvalidInput):
        validate_ai_metadata({"bpm": True}, max_bytes=1000)
    with pytest.raises(InvalidInput):
        validate_ai_metadata({"own": "x" * 1000}, max_bytes=1000)


WORDS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters=",\x00"), min_size=1), max_size=6)


@given(WORDS)
def test_a_list_reads_the_same_from_json(words: list[str]) -> None:
    assert read_list(json.dumps(words), "tags") == words


@given(WORDS)
def test_a_list_reads_the_same_from_commas(words: list[str]) -> None:
    stripped = [word.strip() for word in words if word.strip()]
    text = ",".join(stripped)
    if not text.startswith("["):
        assert read_list(text, "tags") == stripped
