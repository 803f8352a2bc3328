"""The read API of backfills."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from backfills.models import BackfillRun
from jobs.batches import run_next_batch
from tests.factories.assets import make_assets
from tests.factories.backfills import BackfillRunFactory
from tests.support.backfills import DescribeByName, registered, started

pytestmark = pytest.mark.django_db


def test_progress_and_events_of_a_run(admin_api: APIClient) -> None:
    make_assets(25)
    with registered(DescribeByName()) as rule:
        context = started(rule)
        run_next_batch(context, now=timezone.now())
        run = admin_api.get(f"/api/backfills/{context.run_pk}").json()
        assert (run["state"], run["rowsDone"], run["rowsTotal"], run["table"]) == ("running", 10, 25, "assets_asset")
        first = admin_api.get(f"/api/backfills/{context.run_pk}/events").json()
        assert [event["type"] for event in first["events"]] == ["planned", "running", "progress"]
        run_next_batch(context, now=timezone.now())
        later = admin_api.get(f"/api/backfills/{context.run_pk}/events", {"after": first["next"]}).json()
        assert [event["message"] for event in later["events"]] == ["20 of 25 rows done"]
        assert admin_api.get("/api/backfills", {"rule": rule.name}).json()["total"] == 1
        assert admin_api.get("/api/backfills", {"rule": "other"}).json()["runs"] == []


def test_a_list_costs_the_same_queries_for_any_page_size(admin_api: APIClient) -> None:
    BackfillRunFactory.create_batch(5)
    BackfillRunFactory.create_batch(6, state="undone")
    page = admin_api.get("/api/backfills", {"limit": 2, "page": 2}).json()
    assert (len(page["runs"]), page["total"], page["page"]) == (2, 11, 2)
    with CaptureQueriesContext(connection) as few:
        admin_api.get("/api/backfills", {"limit": 2})
    with CaptureQueriesContext(connection) as more:
        admin_api.get("/api/backfills", {"limit": 10})
    assert len(few) == len(more)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/backfills/404", 404), ("/api/backfills/404/events", 404), ("/api/backfills/x", 404)],
)
def test_unknown_runs_are_not_found(admin_api: APIClient, path: str, status: int) -> None:
    response = admin_api.get(path)
    assert response.status_code == status
    if not path.endswith("x"):  # no route: Django's own page
        assert "There is no backfill run 404" in response.text


def test_an_invalid_event_id_is_rejected_by_name(admin_api: APIClient) -> None:
    run = BackfillRunFactory()
    for wrong in ("-1", "x", "9" * 30, "٣"):
        response = admin_api.get(f"/api/backfills/{run.pk}/events", {"after": wrong})
        assert response.status_code == 400
        assert "after" in response.text


def test_only_admins_can_read_backfills(
    admin_api: APIClient, editor_api: APIClient, service_api: APIClient, api: APIClient
) -> None:
    assert editor_api.get("/api/backfills").status_code == 403
    assert service_api.get("/api/backfills").status_code == 403
    assert api.get("/api/backfills").status_code == 401
    BackfillRunFactory()
    assert admin_api.post("/api/backfills").status_code == 405
    assert editor_api.post("/api/backfills").status_code == 403
    assert BackfillRun.objects.count() == 1
