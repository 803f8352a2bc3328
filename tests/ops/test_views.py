"""The service's own endpoints: itself, its health, figures for operators."""

import pytest
from django.utils import timezone

from tests.factories.albumart import make_stored
from tests.factories.assets import make_assets

pytestmark = pytest.mark.django_db


def test_the_service_names_itself(api):
    body = api.get("/api").json()
    assert body["name"] == "NNA Registry Service API"
    assert body["docs"] == "/api/docs"
    assert body["status"] == "running"


def test_health_is_bare_healthy_and_never_cached(api):
    answer = api.get("/api/health")
    body = answer.json()
    assert answer["Cache-Control"] == "no-store"
    assert body["status"] == "healthy"
    assert body["config"]["database"]["connected"] is True
    assert "success" not in body


def test_health_shows_no_secret(api, settings):
    text = api.get("/api/health").content.decode()
    for secret in (settings.SECRET_KEY, settings.ACCOUNTS_SIGNING_KEY, settings.REDIS_URL, "postgres://"):
        assert secret not in text


def test_health_is_degraded_and_still_200_without_a_cache(api, settings):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "unix:///nowhere.sock"}
    }
    body = api.get("/api/health").json()
    assert body["config"]["cache"]["connected"] is False
    assert body["status"] == "healthy"  # assets can be registered all the same


def test_figures_count_live_assets_by_layer(admin_api):
    make_assets(3, "L.CAS.ATL")
    make_assets(2, "G.POP.BAS")
    assets = admin_api.get("/api/admin/metrics").json()["usage"]["assets"]
    assert assets["total"] == 5
    assert assets["byLayer"] == {"L": 3, "G": 2}


def test_the_activity_lists_actor_and_change(admin_api, admin_user):
    [asset] = make_assets(1)
    admin_api.put(f"/api/assets/{asset.name}", {"description": "New words"}, format="json")
    body = admin_api.get("/api/admin/activity?limit=5").json()
    assert body["pagination"]["total"] == 1
    assert (
        body["activity"][0] | {"asset": asset.name, "action": "changed", "by": admin_user.email} == body["activity"][0]
    )


def test_the_metrics_describe_the_artwork_pipeline(admin_api):
    make_stored(finished_at=timezone.now())
    figures = admin_api.get("/api/admin/metrics/album-art").json()
    assert figures["success"] == {"stored": 1, "ended": 1, "rate": 1.0, "goal": 0.9, "by_status": {"stored": 1}}
    assert figures["queue"] == {"waiting": 0, "running": 0, "oldest_seconds": 0}


@pytest.mark.parametrize("path", ["/api/admin/metrics", "/api/admin/metrics/album-art", "/api/admin/activity"])
def test_only_admins_read_the_metrics(api, editor_api, path):
    assert api.get(path).status_code == 401
    assert editor_api.get(path).status_code == 403


def test_every_answer_names_its_request_and_keeps_a_harmless_name(api):
    assert len(api.get("/api")["X-Request-Id"]) == 16
    assert api.get("/api", headers={"X-Request-Id": "trace-7"})["X-Request-Id"] == "trace-7"
    assert api.get("/api", headers={"X-Request-Id": "../../x y"})["X-Request-Id"] != "../../x y"
