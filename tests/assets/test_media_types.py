"""Pure rules under generated input: media types, album art, AI metadata, lists."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.ai_metadata import validate_ai_metadata
from assets.album_art import normalize_album_art
from assets.api.legacy_forms import read_list
from assets.descriptions import normalize_creator_description
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
def test_the_signature_determines_the_type(head: bytes, expected: str) -> None:
    assert sniff_mime_type(head) == expected


@given(st.binary(max_size=400) | st.sampled_from([head for head, _ in SIGNATURES]), st.text(max_size=40))
@settings(max_examples=50, deadline=None)
def test_any_bytes_have_a_type_or_are_rejected(head: bytes, filename: str) -> None:
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


def test_json_cut_within_a_character_by_head_bytes_is_json() -> None:
    head = ('{"name": "' + "é" * HEAD_BYTES).encode()[:HEAD_BYTES]
    assert sniff_mime_type(head) == "application/json"
    assert validate_media(layer="M", filename="a.json", head=head, is_whole=False, is_enforced=True).extension == "json"


NAME = "C.MIX.OFF.001:G.001.002.001"


@given(st.none() | st.text(), st.none() | st.text(min_size=1))
def test_a_creator_description_is_unchanged_or_none(incoming: str | None, stored: str | None) -> None:
    kept = normalize_creator_description(incoming, stored=stored, name=NAME)
    assert kept in (incoming, None)
    if incoming and incoming.strip() and incoming.strip().upper() not in (NAME, "C.MIX.OFF.001"):
        assert kept == incoming


@pytest.mark.parametrize("text", [NAME, NAME.lower(), " C.MIX.OFF.001 "])
def test_the_name_is_ignored_over_an_empty_creator_description(text: str) -> None:
    assert normalize_creator_description(text, stored=None, name=NAME) is None
    assert normalize_creator_description(text, stored="mine", name=NAME) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=10), parts, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_any_album_art_is_a_url_or_rejected(value: Any) -> None:
    try:
        kept = normalize_album_art(value)
    except InvalidInput as error:
        assert error.field_errors[0].field == "albumArt"  # noqa: PT017
    else:
        assert kept is None or kept.startswith(("http://", "https://", "data:image/", "HTTP", "Http"))


def test_the_source_url_of_an_object_is_album_art() -> None:
    assert normalize_album_art({"sourceUrl": "https://a.example/x"}) == "https://a.example/x"
    assert normalize_album_art({"url": "https://a.example/y"}) == "https://a.example/y"
    assert normalize_album_art({}) is None
    assert normalize_album_art("data:image/png;base64,AAAA") == "data:image/png;base64,AAAA"


KNOWN = st.sampled_from(["mood", "genre", "bpm", "tags", "confidence", "generatedDescription", "own"])


@given(JSON | st.dictionaries(KNOWN, JSON, max_size=5))
def test_any_ai_metadata_is_unchanged_or_rejected(value: Any) -> None:
    try:
        kept = validate_ai_metadata(value, max_bytes=65536)
    except InvalidInput as error:
        assert all(error.field.startswith("aiMetadata") for error in error.field_errors)  # noqa: PT017
    else:
        assert kept == value
        assert kept is None or isinstance(kept.get("mood"), str | None)


def test_an_error_names_all_keys_of_a_wrong_type() -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_ai_metadata({"mood": 1, "bpm": "fast", "tags": [1], "confidence": -1, "own": 5}, max_bytes=1000)
    assert {error.field for error in caught.value.field_errors} == {
        "aiMetadata.mood", "aiMetadata.bpm", "aiMetadata.tags", "aiMetadata.confidence",
    }  # fmt: skip
    with pytest.raises(InvalidInput):
        validate_ai_metadata({"bpm": True}, max_bytes=1000)
    with pytest.raises(InvalidInput):
        validate_ai_metadata({"own": "x" * 1000}, max_bytes=1000)


WORDS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters=",\x00"), min_size=1), max_size=6)


@given(WORDS)
def test_a_json_list_is_parsed_unchanged(words: list[str]) -> None:
    assert read_list(json.dumps(words), "tags") == words


@given(WORDS)
def test_a_comma_separated_list_is_parsed(words: list[str]) -> None:
    stripped = [word.strip() for word in words if word.strip()]
    text = ",".join(stripped)
    if not text.startswith("["):
        assert read_list(text, "tags") == stripped
