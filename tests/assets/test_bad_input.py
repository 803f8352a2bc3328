"""Invalid requests: a JSON error that names the field, and no row, file or reserved number."""

import io
import json
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import override_settings
from rest_framework.test import APIClient

from assets.models import Asset, SequenceCounter, SequenceReservation
from tests.assets.conftest import assert_error
from tests.assets.test_registration import send
from tests.factories.assets import make_asset
from tests.support.failing_storage import FAILING
from tests.support.media import make_mp3, make_mp4, make_png, make_wav, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]
BOUNDARY = "xxBOUNDARYxx"


def is_empty_registry() -> bool:
    return not (Asset.objects.exists() or SequenceReservation.objects.exists() or SequenceCounter.objects.exists())


def multipart(parts: dict[str, bytes], *, end: bytes = f"--{BOUNDARY}--\r\n".encode()) -> bytes:
    body = b""
    for name, value in parts.items():
        body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        body += b'; filename="a.png"\r\nContent-Type: image/png' if name == "file" else b""
        body += b"\r\n\r\n" + value + b"\r\n"
    return body + end


LEAST = {"layer": b"L", "category": b"CAS", "subcategory": b"ATL", "description": b"A look", "file": make_png()}


def post_raw(api: APIClient, body: bytes, content_type: str = f"multipart/form-data; boundary={BOUNDARY}") -> Any:
    return api.generic("POST", "/api/assets", body, content_type=content_type)


@pytest.mark.parametrize(
    ("part", "value", "field"),
    [
        ("layer", "X", "layer"),
        ("layer", "LL", "layer"),
        ("layer", "", "layer"),
        ("layer", None, "layer"),
        ("category", None, "category"),
        ("category", "Nowhere", "category"),
        ("category", "cas\x00ual", "category"),
        ("subcategory", None, "subcategory"),
        ("subcategory", "Nothing", "subcategory"),
        ("subcategory", "999", "subcategory"),
        ("description", None, "description"),
        ("description", "", "description"),
        ("description", "   \n ", "description"),
        ("description", "nul\x00", "description"),
        ("description", "evil \u202egpj.exe", "description"),
        ("description", "x" * 10_001, "description"),
        ("source", "a\nb", "source"),
        ("source", "x" * 101, "source"),
        ("creatorDescription", "x" * 501, "creatorDescription"),
        ("creatorDescription", "a\u2066b", "creatorDescription"),
        ("tags", json.dumps(["t"] * 10_000), "tags"),
        ("tags", ",".join(str(n) for n in range(10_000)), "tags"),
        ("tags", '["a"', "tags"),
        ("tags", "[1, 2]", "tags"),
        ("tags", '[["a"]]', "tags"),
        ("tags", "[null]", "tags"),
        ("tags", '["\\ud800"]', "tags"),
        ("tags", '["\\u0000"]', "tags"),
        ("tags", "x" * 101, "tags"),
        ("tags", "[" * 3000, "tags"),
        ("components", '["G.001', "components"),
        ("components", "{}", "components"),
        ("trainingData", "{not json", "trainingData"),
        ("trainingData", "[]", "trainingData"),
        ("trainingData", '"text"', "trainingData"),
        ("trainingData", "NaN", "trainingData"),
        ("trainingData", '{"a":"\\u0000"}', "trainingData"),
        ("trainingData", '{"a":' * 100 + "1" + "}" * 100, "trainingData"),
        ("trainingData", '{"a":' * 5000 + "1" + "}" * 5000, "trainingData"),
        ("trainingData", json.dumps({"a": "x" * 70_000}), "trainingData"),
        ("rights", "{'source': 'x'}", "rights"),
        ("rights", "12", "rights"),
        ("aiMetadata", "{", "aiMetadata"),
        ("aiMetadata", "[]", "aiMetadata"),
        ("aiMetadata", '{"mood": 5}', "aiMetadata"),
        ("aiMetadata", '{"confidence": 1.5}', "aiMetadata"),
        ("aiMetadata", '{"mood": "\\ud83d"}', "aiMetadata"),
        ("aiMetadata", json.dumps({"x": "y" * 66_000}), "aiMetadata"),
        ("aiMetadata", '{"bpm": 1e400}', "aiMetadata"),
        ("albumArt", "javascript:alert(1)", "albumArt"),
        ("albumArt", "not an address", "albumArt"),
        ("albumArt", "http://[", "albumArt"),
        ("albumArt", '{"sourceUrl": 5}', "albumArt"),
        ("albumArt", "data:text/html;base64,AAAA", "albumArt"),
        ("albumArt", "https://a.example/" + "x" * 3000, "albumArt"),
        ("unexpected", "x", "unexpected"),
        ("status", "active", "status"),
        ("registeredBy", "someone@else.example", "registeredBy"),
    ],
)
def test_an_invalid_part_is_rejected_by_name(editor_api: APIClient, part: str, value: str | None, field: str) -> None:
    assert_error(send(editor_api, **{part: value}), 400, field)
    assert is_empty_registry()
    assert not default_storage.exists("L/CAS/ATL/L.CAS.ATL.001.png")


def test_error_texts_are_those_of_the_contract(editor_api: APIClient) -> None:
    assert assert_error(send(editor_api, unexpected="x"), 400) == "property unexpected should not exist"
    assert assert_error(send(editor_api, layer="X"), 400) == "Invalid layer: X"
    assert assert_error(send(editor_api, category="Nope"), 400) == "Invalid category: Nope for layer: L"
    text = assert_error(send(editor_api, subcategory="Nope"), 400)
    assert text.startswith("Invalid subcategory: Nope for layer: L, category: ")


def test_bytes_that_are_not_utf_8_are_rejected(editor_api: APIClient) -> None:
    for broken in (b"\xff\xfe", b"\xed\xa0\x80", b"caf\xe9"):
        assert_error(post_raw(editor_api, multipart(LEAST | {"description": broken})), 400, "description")
        assert_error(post_raw(editor_api, multipart(LEAST | {"tags": broken})), 400, "tags")
    assert is_empty_registry()


def test_a_form_without_a_file_or_with_two_is_rejected(editor_api: APIClient) -> None:
    assert "file is required" in assert_error(send(editor_api, file=None), 400, "file")
    assert_error(send(editor_api, file=[upload(), upload()]), 400, "file")
    assert_error(send(editor_api, file="just text"), 400, "file")
    assert_error(send(editor_api, file=None, picture=upload()), 400, "file")
    assert assert_error(send(editor_api, file=upload(content=b"")), 400, "file") == "file is empty"
    assert is_empty_registry()


@pytest.mark.parametrize(
    ("place", "name", "content"),
    [
        ("G.POP.BAS", "song.png", make_png()),
        ("G.POP.BAS", "song.mp3", make_png()),
        ("L.CAS.ATL", "look.mp3", make_mp3()),
        ("L.CAS.ATL", "look.png", make_wav()),
        ("L.CAS.ATL", "look.exe", make_png()),
        ("L.CAS.ATL", "look.svg", b"<html><svg onload=alert(1)></svg></html>"),
        ("L.CAS.ATL", "look.png", b"MZ\x90\x00" + bytes(100)),
        ("M.HIP.BAS", "move.json", b"{broken"),
        ("M.HIP.BAS", "move.json", b"[" * 5000),
        ("S.POP.BAS", "star.mp4", make_mp4()),
        ("C.MIX.OFF", "cut.txt", b"la la la"),
    ],
)
def test_a_file_that_the_layer_does_not_accept_is_rejected(
    editor_api: APIClient, place: str, name: str, content: bytes
) -> None:
    layer, category, subcategory = place.split(".")
    response = send(
        editor_api, layer=layer, category=category, subcategory=subcategory, file=upload(name, content, "image/png")
    )
    assert_error(response, 415, "file")
    assert is_empty_registry()


def test_the_whole_body_is_read_before_the_error_for_a_large_file(editor_api: APIClient, settings: Any) -> None:
    settings.ASSETS_MAX_FILE_BYTES = 3 * 1024 * 1024
    body = multipart(LEAST | {"file": make_png() + bytes(5 * 1024 * 1024)})
    stream = io.BytesIO(body)
    response = editor_api.generic(
        "POST", "/api/assets", body, f"multipart/form-data; boundary={BOUNDARY}", **{"wsgi.input": stream}
    )
    assert "Too Large" in assert_error(response, 413, "file")
    assert stream.tell() == len(body)
    assert is_empty_registry()


def test_a_file_of_32_mib_passes_and_one_more_byte_does_not(editor_api: APIClient) -> None:
    png = make_png()
    limit = 33_554_432
    assert_error(send(editor_api, file=upload(content=png + bytes(limit + 1 - len(png)))), 413, "file")
    assert is_empty_registry()
    assert send(editor_api, file=upload(content=png + bytes(limit - len(png)))).status_code == 201


def test_an_incomplete_body_is_rejected_at_any_length(editor_api: APIClient) -> None:
    body = multipart(LEAST)
    for length in (0, 1, 30, 100, len(body) // 2, len(body) - 40, len(body) - 12, len(body) - 6, len(body) - 4):
        assert_error(post_raw(editor_api, body[:length]), 400)
    assert is_empty_registry()
    assert post_raw(editor_api, body).status_code == 201


def test_broken_multipart_headers_are_rejected(editor_api: APIClient) -> None:
    body = multipart(LEAST)
    assert_error(post_raw(editor_api, body, "multipart/form-data"), 400)
    assert_error(post_raw(editor_api, body, "multipart/form-data; boundary="), 400)
    assert_error(post_raw(editor_api, body, "multipart/form-data; boundary=other"), 400)
    assert_error(post_raw(editor_api, body, "multipart/form-data; boundary=" + "b" * 300), 415)
    assert_error(post_raw(editor_api, b"\x00\xff" * 100), 400)
    assert_error(post_raw(editor_api, multipart({f"f{n}": b"" for n in range(2500)})), 400)
    assert_error(post_raw(editor_api, multipart(LEAST | {"description": b"x" * 5_000_000})), 413)
    assert is_empty_registry()


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 400),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
        ("nonsense", 415),
        ("application/xml", 415),
    ],
)
def test_a_wrong_content_type_is_rejected(editor_api: APIClient, content_type: str, status: int) -> None:
    body = json.dumps({"layer": "L", "category": "CAS", "subcategory": "ATL", "description": "x"}).encode()
    assert_error(post_raw(editor_api, body, content_type), status)
    assert is_empty_registry()


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", None),
        (b"nonsense", None),
        (b"[1]", None),
        (b'"text"', None),
        (b"null", None),
        (b'{"description": "\xff"}', None),
        (b'{"description": "\\ud800"}', None),
        (b"[" * 100_000, None),
        (b'{"a":' * 20_000, None),
        (b'{"description": "\\u0000"}', "description"),
        (b'{"description": ""}', "description"),
        (b'{"description": null}', "description"),
        (b'{"description": 5}', "description"),
        (b'{"description": ["x"]}', "description"),
        (b'{"tags": {"a": 1}}', "tags"),
        (b'{"tags": [1]}', "tags"),
        (b'{"tags": 5}', "tags"),
        (b'{"creatorDescription": "%s"}' % (b"x" * 501), "creatorDescription"),
        (b'{"aiMetadata": "{"}', "aiMetadata"),
        (b'{"aiMetadata": {"tags": "no"}}', "aiMetadata"),
        (b'{"albumArt": 7}', "albumArt"),
        (b'{"albumArt": {"url": []}}', "albumArt"),
        (b'{"components": [["x"]]}', "components"),
        (b'{"layer": 5}', "layer"),
        (b'{"surprise": 1}', "surprise"),
        (b'{"sequence_number": 1}', "sequence_number"),
    ],
)
def test_an_invalid_edit_changes_nothing(editor_api: APIClient, method: str, body: bytes, field: str | None) -> None:
    asset = make_asset()
    response = editor_api.generic(method.upper(), f"/api/assets/{asset.name}", body, content_type="application/json")
    assert_error(response, 400, field)
    assert Asset.objects.values().get() == {k: v for k, v in vars(Asset.objects.get()).items() if k != "_state"}
    assert Asset.objects.get().revision == 0


@pytest.mark.parametrize(
    ("method", "path", "mebibytes"), [("PUT", "/api/assets/L.CAS.ATL.001", 4), ("POST", "/api/assets/batch", 1)]
)
def test_a_json_body_over_its_limit_is_too_large(method: str, path: str, mebibytes: int, editor_api: APIClient) -> None:
    make_asset()
    body = json.dumps({"description": "x" * (mebibytes * 1024 * 1024)})
    response = editor_api.generic(method, path, body, content_type="application/json")
    assert "Too Large" in assert_error(response, 413)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=abc", "page"),
        ("page=1.5", "page"),
        ("page=99999999999999999999999", "page"),
        ("limit=abc", "limit"),
        ("limit=0", "limit"),
        ("limit=%00", "limit"),
        ("limit=%D9%A1", "limit"),
        ("search=%00", "search"),
        ("search=%ED%A0%80%00", "search"),
        ("search=" + "x" * 501, "search"),
        ("layer=%00", "layer"),
        ("tags=%00", "tags"),
        ("components=%00", "components"),
        ("startDate=yesterday", "startDate"),
        ("endDate=9999-99-99", "endDate"),
        ("registeredBy=%00", "registeredBy"),
        ("sort=%00", "sort"),
    ],
)
def test_an_invalid_parameter_is_rejected_by_name(editor_api: APIClient, query: str, field: str) -> None:
    assert_error(editor_api.get(f"/api/assets?{query}"), 400, field)


@pytest.mark.parametrize(
    "key",
    ["nothing", "%00", "L.CAS.ATL", "L.CAS.ATL.999", "..%2F..", "0" * 24, "x" * 2000, "%FF%FE"],
)
@pytest.mark.parametrize("path", ["/api/assets/{}", "/api/assets/address/{}", "/api/assets/{}/metadata"])
def test_an_unknown_reference_is_a_json_404(editor_api: APIClient, path: str, key: str) -> None:
    assert_error(editor_api.get(path.format(key)), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/assets/one/two/three"),
        ("get", "/api/nothing"),
        ("get", "/api/v1/asset/register"),
        ("post", "/api/assets/upload/now"),
    ],
)
def test_an_unknown_path_is_a_json_404_with_the_contract_text(editor_api: APIClient, method: str, path: str) -> None:
    message = assert_error(getattr(editor_api, method)(path), 404)
    assert message == f"Cannot {method.upper()} {path}"


def test_a_storage_failure_leaves_only_the_reservation(editor_api: APIClient, editor: Any, settings: Any) -> None:
    with override_settings(STORAGES=settings.STORAGES | {"default": FAILING}):
        assert_error(send(editor_api), 503, "file")
        assert not default_storage.exists("L/CAS/ATL/L.CAS.ATL.001.png")
    assert not Asset.objects.exists()
    reservation = SequenceReservation.objects.get()
    assert (reservation.number, reservation.purpose, reservation.reserved_by) == (1, "registration", editor.email)
    assert reservation.media_key == "L/CAS/ATL/L.CAS.ATL.001.png"
    assert send(editor_api).json()["data"]["name"] == "L.CAS.ATL.002"


def test_an_existing_file_under_the_key_is_never_served(editor_api: APIClient) -> None:
    key = "L/CAS/ATL/L.CAS.ATL.001.png"
    default_storage.save(key, upload(content=b"somebody else's"))
    assert_error(send(editor_api), 503, "file")
    with default_storage.open(key) as content:
        assert content.read() == b"somebody else's"
    assert default_storage.listdir("L/CAS/ATL")[1] == ["L.CAS.ATL.001.png"]
    assert not Asset.objects.exists()
    assert send(editor_api).json()["data"]["name"] == "L.CAS.ATL.002"
