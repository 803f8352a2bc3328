"""Replay the recorded requests of legacy clients over HTTP and compare the responses byte for byte."""

import json
from typing import Any

import jsonschema
import pytest
from django.utils import timezone

from accounts.service_keys import create_service_key
from flags.registry import FLAG_NAMES
from taxonomy.snapshot_cache import clear_taxonomy_cache
from taxonomy.sync import install_starter_taxonomy
from tests.factories.accounts import AdminFactory, UserFactory, bearer
from tests.support.flag_states import set_flags
from tests.support.recorded_requests import CONTRACTS, Normalizer, read_requests, send

pytestmark = pytest.mark.django_db(transaction=True)

STORIES = ("frontend", "recommendation_service", "taxonomy_and_operators")
SCHEMAS = json.loads((CONTRACTS / "schemas.json").read_text())
# Long documents with their own tests: only the status is checked here.
_NOT_RECORDED = {"/api/docs-json"}


@pytest.fixture
def server(live_server, settings) -> str:
    settings.MEDIA_PUBLIC_URL = f"{live_server.url}/media/"
    settings.STORAGES = dict(settings.STORAGES)  # a new empty storage in memory
    clear_taxonomy_cache()
    install_starter_taxonomy(now=timezone.now())
    return live_server.url


@pytest.fixture
def credentials(server) -> dict[str, dict[str, str]]:
    editor = UserFactory(email="mira@studio.example", username="mirakov")
    admin = AdminFactory(email="theo@studio.example", username="theodor")
    return {
        "nobody": {},
        "editor": {"Authorization": bearer(editor)},
        "admin": {"Authorization": bearer(admin)},
        "service": {"X-API-Key": create_service_key("recommendations", by=None)[1], "User-Agent": "AlgoRhythm/1.0.0"},
    }


def play(server: str, story: str, credentials: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    normalize = Normalizer()
    played = []
    for step in read_requests(story):
        status, headers, content = send(server, step, credentials[step["as"]])
        label = f"{step['title']}: {step['method']} {step['path']}"
        assert status == step["status"], f"{label} returned {status}: {content[:500]!r}"
        assert headers["content-type"].partition(";")[0].endswith("json"), label
        assert "location" not in headers, label
        if "schema" in step:
            schema = SCHEMAS["$defs"][step["schema"]]
            jsonschema.validate(json.loads(content), schema)
        if step["path"] not in _NOT_RECORDED:
            played.append({"title": step["title"], "status": status, "body": normalize(content)})
    return played


@pytest.mark.parametrize("flags", ["off", "on"])
@pytest.mark.parametrize("story", STORIES)
def test_every_recorded_request_gets_its_recorded_response(server, credentials, story, flags, pytestconfig):
    with set_flags(*(FLAG_NAMES if flags == "on" else ())):
        played = play(server, story, credentials)
    path = CONTRACTS / "recordings" / (f"{story}.json" if flags == "off" else f"{story}.flags-on.json")
    if pytestconfig.getoption("--record"):
        path.write_text(json.dumps(played, indent=1, ensure_ascii=False) + "\n")
    recorded = json.loads(path.read_text())
    for response, expected in zip(played, recorded, strict=True):
        assert response == expected


def test_recordings_with_all_flags_off_contain_no_gated_field():
    for story in STORIES:
        text = (CONTRACTS / "recordings" / f"{story}.json").read_text()
        for name in ('creatorDescription\\" :', 'albumArt\\" :', "albumArtDetails", 'aiMetadata\\" :'):
            assert name not in text, (story, name)


@pytest.mark.parametrize("path", ["/api/assets", "/api/assets/C.MIX.RMX.001:G.001.002.001", "/api/taxonomy/index"])
def test_a_preflight_needs_no_credentials(server, path):
    preflight = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,content-type"}
    step = {"method": "OPTIONS", "path": path}
    origin = "https://nna-registry-frontend-dev.vercel.app"
    status, headers, _ = send(server, step | {"headers": preflight | {"Origin": origin}}, {})
    assert status in (200, 204)
    assert headers["access-control-allow-origin"] == origin
    assert headers["access-control-allow-credentials"] == "true"
    assert "PUT" in headers["access-control-allow-methods"]
    assert {"authorization", "content-type", "x-api-key", "x-requested-at", "if-none-match", "idempotency-key"} <= set(
        headers["access-control-allow-headers"].replace(" ", "").split(",")
    )
    assert "origin" in headers["vary"].lower()
    _, headers, _ = send(server, step | {"headers": preflight | {"Origin": "https://elsewhere.example"}}, {})
    assert "access-control-allow-origin" not in headers


def test_a_path_with_and_without_a_trailing_slash_responds_without_a_redirect(server, credentials):
    for path in ("/api/assets/", "/api/assets", "/api/health/", "/api/taxonomy/index/"):
        status, headers, _ = send(server, {"method": "GET", "path": path}, credentials["editor"])
        assert status == 200, path
        assert "location" not in headers
