"""Lists, details, changes and deletions over HTTP: shapes, filters, permissions, conflicts."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import http_date
from rest_framework.test import APIClient

from accounts.models import User
from bugreports.models import BugReport
from tests.factories.accounts import AdminFactory, UserFactory, bearer
from tests.factories.bugreports import BugReportFactory
from tests.support.bug_report_payloads import crash, full, make_screenshot, small
from tests.support.recorded_requests import CONTRACTS

pytestmark = pytest.mark.django_db
URL = "/api/bug-reports"
SCHEMAS = json.loads((CONTRACTS / "bug_reports.json").read_text())


def keeps(body: Any, shape: str) -> Any:
    jsonschema.Draft202012Validator(SCHEMAS | {"$ref": f"#/$defs/{shape}"}).validate(body)
    return body


def get(api: APIClient, path: str = "", answers: int = 200, **params: str) -> Any:
    response = api.get(f"{URL}{path}", params)
    assert response.status_code == answers, response.content
    return response.json()


def patch(api: APIClient, report: BugReport, data: Any, status: int = 200, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = api.patch(f"{URL}/{report.report_id}", data, format="json", headers=named)
    assert response.status_code == status, response.content
    report.refresh_from_db()
    return keeps(response.json(), "envelope" if status == 200 else "error")


def test_every_response_has_its_recorded_shape(reporter_api: APIClient, admin_api: APIClient) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS)
    for document in (small(), full(screenshot=make_screenshot()), crash()):
        response = reporter_api.post(URL, document, format="json")
        report_id = keeps(response.json(), "receipt")["report_id"]
        keeps(get(admin_api, f"/{report_id}"), "envelope")
        keeps(get(admin_api, f"/{report_id}/events"), "events")
    listed = keeps(get(admin_api), "list")
    assert not {"recent_logs", "network_events", "events"} & set(listed["reports"][0])
    keeps(get(admin_api, "/bug_20260101_000000_00000000", answers=404), "error")
    keeps(admin_api.post(f"{URL}/purge", {"dry_run": True}, format="json").json(), "purge")
    keeps(admin_api.put(URL, {}, format="json").json(), "error")
    keeps(reporter_api.post(URL, {}, format="json").json(), "error")


def test_an_empty_list_has_one_page(admin_api: APIClient) -> None:
    assert get(admin_api) == {"reports": [], "pagination": {"page": 1, "per_page": 20, "total": 0, "pages": 1}}


def test_the_list_is_newest_first_and_a_later_page_is_empty(admin_api: APIClient) -> None:
    start = timezone.now()
    reports = [BugReportFactory(submitted_at=start - timedelta(hours=hours)) for hours in range(5)]
    listed = get(admin_api, per_page="2", page="2")
    assert [row["report_id"] for row in listed["reports"]] == [reports[2].report_id, reports[3].report_id]
    assert listed["pagination"] == {"page": 2, "per_page": 2, "total": 5, "pages": 3}
    assert get(admin_api, per_page="2", page="9")["reports"] == []
    for params in ({"page": "0"}, {"page": "x"}, {"page": "-4"}, {"per_page": "no"}):
        assert get(admin_api, **params)["pagination"] == {"page": 1, "per_page": 20, "total": 5, "pages": 1}
    assert get(admin_api, per_page="0")["pagination"]["per_page"] == 1
    assert get(admin_api, per_page="999999")["pagination"]["per_page"] == 100


def test_filters_narrow_the_list(admin_api: APIClient) -> None:
    user = AdminFactory(email="owner@studio.example")
    start = datetime(2026, 2, 1, tzinfo=UTC)
    one = BugReportFactory(status="resolved", submitted_at=start, fingerprint="v1:0123456789abcdef", priority="high")
    two = BugReportFactory(submitted_at=start + timedelta(days=2), assignee=user, description="100% _odd_ 'words'")

    def found(**params: str) -> list[str]:
        return [row["report_id"] for row in get(admin_api, **params)["reports"]]

    assert (
        found(status="RESOLVED")
        == found(fingerprint="v1:0123456789abcdef")
        == found(priority="high")
        == [one.report_id]
    )
    assert found(status="closed") == found(priority="urgent") == []
    assert found(assignee="Owner@Studio.example") == found(q="100% _odd_") == found(q=two.report_id) == [two.report_id]
    assert found(assignee="none") == [one.report_id]
    assert found(trace_id=two.trace_id) == found(q="'WORDS'") == [two.report_id]
    assert found(q="100x") == found(q="%")[1:] == []
    assert found(submitted_after="2026-02-02") == found(submitted_after="2026-02-03T00:00:00Z") == [two.report_id]
    assert found(submitted_before="2026-02-03T00:00:00+00:00") == [one.report_id]
    assert found(order="submitted_at") == found(order="priority") == [one.report_id, two.report_id]
    assert found(order="nonsense") == found(order="-submitted_at") == [two.report_id, one.report_id]


@pytest.mark.parametrize(
    "params", [{"submitted_after": "yesterday"}, {"submitted_before": "2026-99-99"}, {"q": "x" * 201}, {"q": "a\x00"}]
)
def test_an_invalid_filter_is_rejected(params: dict[str, str], admin_api: APIClient) -> None:
    keeps(get(admin_api, answers=400, **params), "error")


def test_the_number_of_queries_does_not_grow_with_the_rows(admin_api: APIClient) -> None:
    costs = []
    get(admin_api)  # what is remembered between requests is remembered now
    for count in (2, 30):
        BugReportFactory.create_batch(count)
        with CaptureQueriesContext(connection) as queries:
            get(admin_api, per_page="100")
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 6


def test_an_unknown_report_is_404(admin_api: APIClient) -> None:
    for path in (
        "/bug_20260101_000000_00000000",
        "/nothing",
        "/bug_20260101_000000_00000000/events",
        "/%00/screenshot",
    ):
        assert keeps(get(admin_api, path, answers=404), "error")["error_code"] == "BUG_REPORT_NOT_FOUND"


def test_ids_of_the_legacy_form_are_found(admin_api: APIClient) -> None:
    report = BugReportFactory(report_id="bug_20260130_071502_a0b1c2d3", trace_id=None, submitted_by=None)
    assert keeps(get(admin_api, f"/{report.report_id}"), "envelope")["report"]["trace_id"] is None


# --- changes ---


def test_a_report_is_changed_by_the_legacy_request(admin_api: APIClient, admin_user: User) -> None:
    report = BugReportFactory()
    assert patch(admin_api, report, {"status": "IN_PROGRESS"})["report"]["status"] == "in_progress"
    data = {"status": "resolved", "resolution": {"notes": "Fixed in 3.4.2", "commit_sha": "77c0de1"}}
    body = patch(admin_api, report, data)["report"]
    assert (body["resolution_notes"], body["resolution_commit_sha"]) == ("Fixed in 3.4.2", "77c0de1")
    assert body["resolution_actor_id"] == admin_user.email
    body = patch(admin_api, report, {"resolution": {"note": "Seen again", "commit": "abcdef0"}})["report"]
    assert (body["resolution_notes"], body["resolution_commit_sha"]) == ("Seen again", "abcdef0")
    trail = get(admin_api, f"/{report.report_id}/events")
    assert [event["event_type"] for event in trail["events"]] == ["submitted", "status_changed", "status_changed"]
    assert trail["pagination"]["total"] == 3
    assert trail["events"][1]["actor_id"] == admin_user.email


def test_all_triage_fields_change_in_one_request(admin_api: APIClient) -> None:
    report, canonical = BugReportFactory.create_batch(2)
    user = AdminFactory()
    data = {"priority": "high", "assignee": user.email, "retain": True, "retain_reason": "audit"}
    body = patch(admin_api, report, data)["report"]
    assert (body["priority"], body["assignee"], body["retain"], body["purge_after"]) == (
        "high",
        user.email,
        True,
        None,
    )
    body = patch(admin_api, report, {"priority": None, "assignee": None, "retain": False})["report"]
    assert (body["priority"], body["assignee"], body["retain"]) == (None, None, False)
    data = {"status": "resolved", "resolution_kind": "duplicate", "duplicate_of": canonical.report_id}
    body = patch(admin_api, report, data)["report"]
    assert (body["status"], body["resolution_kind"], body["duplicate_of"]) == (
        "resolved",
        "duplicate",
        canonical.report_id,
    )
    assert patch(admin_api, canonical, {"duplicate_of": report.report_id}, 409)["error_code"] == "DUPLICATE_REFUSED"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"status": "closed"}, "INVALID_STATUS"), ({"status": 5}, "INVALID_STATUS"),
        ({"status": None}, "INVALID_STATUS"),
        ({"status": ["open"]}, "INVALID_STATUS"), ({"resolution": {"sha": "x"}}, "INVALID_REQUEST"),
        ({"resolution": "fixed"}, "INVALID_REQUEST"), ({"resolution": {"notes": 5}}, "INVALID_REQUEST"),
        ({"resolution": {"commit_sha": "zzz"}}, "INVALID"), ({"resolution_kind": "fixed"}, "INVALID"),
        ({"priority": "urgent"}, "INVALID"), ({"assignee": "nobody@studio.example"}, "ASSIGNEE_UNKNOWN"),
        ({"retain": "yes"}, "INVALID_REQUEST"), ({"retain": True}, "INVALID"), ({"magic": 1}, "INVALID_REQUEST"),
        ([], "INVALID_REQUEST"), ({"duplicate_of": "x", "status": "open"}, "INVALID"),
        ({"version": "one"}, "INVALID_REQUEST"),
    ],
)  # fmt: skip
def test_an_invalid_change_is_rejected(data: Any, code: str, admin_api: APIClient) -> None:
    report = BugReportFactory()
    body = patch(admin_api, report, data, 400)
    assert body["error_code"] == code
    assert (report.version, report.events.count()) == (1, 1)


def test_an_invalid_transition_is_a_conflict(admin_api: APIClient) -> None:
    report = BugReportFactory(status="resolved")
    body = patch(admin_api, report, {"status": "ignored"}, 409)
    assert (body["error_code"], body["details"]) == ("INVALID_STATUS_TRANSITION", {"from": "resolved", "to": "ignored"})


def test_one_invalid_change_rolls_back_all(admin_api: APIClient) -> None:
    report = BugReportFactory(status="resolved")
    patch(admin_api, report, {"priority": "high", "status": "ignored"}, 409)
    assert (report.priority, report.events.count()) == (None, 1)


def test_a_change_of_an_older_version_is_a_conflict(admin_api: APIClient) -> None:
    report = BugReportFactory()
    tag = admin_api.get(f"{URL}/{report.report_id}").headers["ETag"]
    patch(admin_api, report, {"priority": "low"}, If_Match=tag)
    assert patch(admin_api, report, {"priority": "high"}, 409, If_Match=tag)["error_code"] == "REPORT_CHANGED"
    patch(admin_api, report, {"priority": "high", "version": 1}, 409)
    patch(admin_api, report, {"priority": "high", "version": 2})
    patch(admin_api, report, {"priority": "low"}, If_Match="*")
    patch(admin_api, report, {"priority": "low"}, 400, If_Match="nonsense")
    seen = get(admin_api, f"/{report.report_id}")["report"]["updated_at"]
    patch(admin_api, report, {"priority": "medium"}, If_Unmodified_Since=seen)
    patch(admin_api, report, {"priority": "critical"}, 409, If_Unmodified_Since=seen)
    patch(
        admin_api, report, {"priority": "critical"}, 409, If_Unmodified_Since=http_date(timezone.now().timestamp() - 60)
    )
    patch(admin_api, report, {"priority": "critical"}, If_Unmodified_Since=http_date(timezone.now().timestamp()))


def test_a_deleted_report_is_404(admin_api: APIClient) -> None:
    report = BugReportFactory()
    response = admin_api.delete(f"{URL}/{report.report_id}")
    assert (response.status_code, response.json()) == (200, {"success": True})
    keeps(admin_api.delete(f"{URL}/{report.report_id}").json(), "error")


# --- who may ---


def _person(*groups: str, **fields: Any) -> APIClient:
    user = UserFactory(**{"is_staff": True} | fields)
    user.groups.set(Group.objects.filter(name__in=groups))
    return APIClient(headers={"Authorization": bearer(user)})


@pytest.mark.parametrize(
    ("groups", "reads", "judges", "deletes"),
    [
        ((), 403, 403, 403),
        (("Auditors",), 200, 403, 403),
        (("Bug triage",), 200, 200, 403),
        (("Bug admin",), 200, 200, 200),
    ],
)
def test_the_groups_decide_the_permissions(groups: tuple, reads: int, judges: int, deletes: int) -> None:
    report = BugReportFactory()
    api, path = _person(*groups), f"{URL}/{report.report_id}"
    assert [api.get(URL).status_code, api.get(path).status_code, api.get(f"{path}/events").status_code] == [reads] * 3
    assert api.patch(path, {"priority": "low"}, format="json").status_code == judges
    assert api.post(f"{URL}/purge", {"dry_run": True}, format="json").status_code == deletes
    assert api.delete(path).status_code == deletes


def test_a_user_who_is_no_longer_staff_loses_access_at_once(
    reporter_api: APIClient, service_api: APIClient, api: APIClient
) -> None:
    report = BugReportFactory()
    assert (
        get(_person("Bug admin", is_staff=False), f"/{report.report_id}", answers=403)["error"] == "Admin role required"
    )
    assert get(reporter_api, answers=403)["error_code"] == get(service_api, answers=403)["error_code"] == "FORBIDDEN"
    body = keeps(get(api, answers=401), "error")
    assert (body["error_code"], body["error"]) == ("UNAUTHORIZED", "Authentication required")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [(DatabaseError("password=hunter2"), "DATABASE_ERROR", "Failed to save bug report"),
     (RuntimeError("password=hunter2"), "BUG_REPORT_SAVE_FAILED", "Failed to save bug report")],
)  # fmt: skip
def test_an_unexpected_exception_is_not_in_the_response(
    error: Exception, code: str, text: str, reporter_api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr("bugreports.api.views.submit_report", fail)
    response = reporter_api.post(URL, small(), format="json")
    body = keeps(response.json(), "error")
    assert (response.status_code, body["error_code"], body["error"], body["details"]) == (500, code, text, {})
    assert b"hunter2" not in response.content


def test_only_admins_read_the_metrics(admin_api: APIClient, reporter_api: APIClient) -> None:
    BugReportFactory()
    assert admin_api.get("/api/admin/metrics/bug-reports").json()["untriaged"] == 1
    assert reporter_api.get("/api/admin/metrics/bug-reports").status_code == 403
