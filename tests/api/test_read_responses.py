"""ETag, 304 and compression of reads."""

import gzip
import json
from typing import Any

import pytest
from django.test import RequestFactory

from api.read_responses import MIN_COMPRESSED_BYTES, accepts_gzip, read_response

LONG = json.dumps(["word"] * MIN_COMPRESSED_BYTES).encode()


def respond(data: bytes = b"[1]", *, method: str = "GET", **headers: str) -> Any:
    return read_response(RequestFactory().generic(method, "/", headers=headers), data)


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("br, gzip;q=0.8", True),
        ("deflate, gzip ; q=1.0", True),
        ("x-gzip", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("identity", False),
        ("br, *", False),
        ("gzipped", False),
    ],
)
def test_gzip_is_accepted_only_by_name_and_with_a_quality(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


def test_a_long_response_is_compressed_and_has_the_same_data() -> None:
    plain, packed = respond(LONG), respond(LONG, **{"Accept-Encoding": "gzip, deflate, br"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Content-Type"] == "application/json"
    assert len(packed.content) < len(plain.content) / 5
    assert json.loads(gzip.decompress(packed.content))["data"] == json.loads(plain.content)["data"]
    assert packed.headers["ETag"] == plain.headers["ETag"]
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding, Authorization, X-API-Key"


def test_a_short_response_is_not_compressed() -> None:
    assert "Content-Encoding" not in respond(**{"Accept-Encoding": "gzip"}).headers


def test_the_etag_is_weak_and_depends_on_the_data_alone() -> None:
    first, second, other = respond(b"[1]"), respond(b"[1]"), respond(b"[2]")
    assert first.headers["ETag"].startswith('W/"')
    assert first.headers["ETag"] == second.headers["ETag"] != other.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"


def test_the_etag_covers_the_counts_beside_the_data() -> None:
    request = RequestFactory().get("/")
    etags = {read_response(request, b"[]", extra_json=b',"total":%d' % total).headers["ETag"] for total in (1, 2)}
    assert len(etags) == 2


@pytest.mark.parametrize("form", ['W/"{}"', '"{}"', '"other", W/"{}"', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_current_etag_gets_304_without_a_body(form: str, method: str) -> None:
    etag = respond(LONG).headers["ETag"]
    given = form.format(etag[3:-1])
    response = respond(LONG, method=method, **{"If-None-Match": given, "Accept-Encoding": "gzip"})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["ETag"] == etag
    assert response.headers["Vary"] == "Accept-Encoding, Authorization, X-API-Key"
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize("given", ['W/"other"', '"other"', "garbage", '""'])
def test_another_etag_gets_the_data(given: str) -> None:
    assert respond(**{"If-None-Match": given}).status_code == 200


def test_a_read_by_post_has_no_etag_and_is_compressed() -> None:
    response = respond(LONG, method="POST", **{"If-None-Match": "*", "Accept-Encoding": "gzip"})
    assert response.status_code == 200
    assert "ETag" not in response.headers
    assert response.headers["Content-Encoding"] == "gzip"
