"""POST /api/bug-reports: accepted and rejected reports, duplicates, rate limits."""

import base64
import gzip
import json
import re
import threading
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from rest_framework.settings import api_settings
from rest_framework.test import APIClient

from accounts.models import User
from bugreports.models import BugReport, BugReportEvent, BugReportGroup
from tests.factories.accounts import UserFactory, bearer
from tests.support.bug_report_payloads import as_data_url, crash, full, make_screenshot, small
from tests.support.failing_storage import FAILING
from tests.support.sample_images import make_cover, make_flat_png

pytestmark = pytest.mark.django_db
URL = "/api/bug-reports"
_ID = re.compile(r"bug_\d{8}_\d{6}_[a-z0-9]{8}[0-9a-f]{4}")


def post(api: APIClient, document: Any, status: int = 201, **headers: str) -> dict[str, Any]:
    response = api.post(URL, document, format="json", headers={n.replace("_", "-"): v for n, v in headers.items()})
    assert response.status_code == status, response.content
    return response.json()


@pytest.mark.parametrize("document", [small(), full(), crash()])
def test_a_submitted_report_can_be_read(document: dict, reporter_api: APIClient, admin_api: APIClient) -> None:
    receipt = post(reporter_api, document, X_Trace_Id="smoke-test-0001")
    assert set(receipt) == {"success", "report_id", "trace_id", "stored_at"}
    assert _ID.fullmatch(receipt["report_id"])
    assert receipt["report_id"][20:28].startswith("smoketes")
    assert receipt["trace_id"] == "smoke-test-0001"
    assert receipt["stored_at"] == f"database:bug_reports:{receipt['report_id']}"
    report = admin_api.get(f"{URL}/{receipt['report_id']}").json()["report"]
    assert report["description"] == document["description"]
    assert report["submitted_by"] == "lia@studio.example"
    assert [event["event_type"] for event in report["events"]] == ["submitted"]
    assert report["events"][0]["actor_id"] == "lia@studio.example"


def test_secrets_of_the_example_are_in_no_row_response_or_log(
    reporter_api: APIClient, admin_api: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    report_id = post(reporter_api, full(screenshot=make_screenshot()))["report_id"]
    report = admin_api.get(f"{URL}/{report_id}").json()["report"]
    row = BugReport.objects.select_related("context").get()
    everywhere = json.dumps(report) + str(vars(row)) + str(vars(row.context)) + caplog.text
    for secret in ("tok_live_4711", "hunter2", "eyJhbGciOi", "k-123"):
        assert secret not in everywhere
    assert report["redaction_count"] == 4
    assert [entry["path"] for entry in row.context.redactions] == [
        "/clientMeta/locationHref", "/appState/editor/password", "/networkEvents/0/requestHeaders/0/value",
        "/networkEvents/0/requestBody#/api_key",
    ]  # fmt: skip
    assert "args" not in report["recent_logs"][0]
    assert report["recent_logs"][0]["serializedArgs"][0]["message"] == "409 Conflict"


def _without(name: str) -> dict:
    document = small()
    del document[name]
    return document


@pytest.mark.parametrize(
    ("document", "code", "path"),
    [
        (_without("description"), "MISSING_DESCRIPTION", "/description"),
        (small(description="   "), "MISSING_DESCRIPTION", "/description"),
        (small(description="", traceId="x"), "MISSING_DESCRIPTION", "/description"),
        (small(description=5), "INVALID_BUG_REPORT_PAYLOAD", "/description"),
        (small(description=None), "INVALID_BUG_REPORT_PAYLOAD", "/description"),
        (small(description="a\x00b"), "INVALID_BUG_REPORT_PAYLOAD", "/description"),
        (small(description="x" * 20_001), "INVALID_BUG_REPORT_PAYLOAD", "/description"),
        (small(stepsToReproduce=None), "INVALID_BUG_REPORT_PAYLOAD", "/stepsToReproduce"),
        (small(stepsToReproduce=["a", 5]), "INVALID_BUG_REPORT_PAYLOAD", "/stepsToReproduce/1"),
        (small(stepsToReproduce=["a"] * 201), "INVALID_BUG_REPORT_PAYLOAD", "/stepsToReproduce"),
        (small(traceId="x"), "INVALID_BUG_REPORT_PAYLOAD", "/traceId"),
        (_without("clientMeta"), "INVALID_BUG_REPORT_PAYLOAD", "/clientMeta"),
        (_without("recentLogs"), "INVALID_BUG_REPORT_PAYLOAD", "/recentLogs"),
        (small(environment={}), "INVALID_BUG_REPORT_PAYLOAD", "/environment/mode"),
        (small(environment={"mode": "x", "gitSha": 5}), "INVALID_BUG_REPORT_PAYLOAD", "/environment/gitSha"),
        (small(clientMeta={}), "INVALID_BUG_REPORT_PAYLOAD", "/clientMeta/locationHref"),
        (small(clientMeta={"locationHref": "", "viewport": {"width": 1}}), "INVALID_BUG_REPORT_PAYLOAD",
         "/clientMeta/viewport/height"),
        (small(clientMeta={"locationHref": "", "viewport": {"width": 1, "height": 2, "depth": 3}}),
         "INVALID_BUG_REPORT_PAYLOAD", "/clientMeta/viewport/depth"),
        (small(appState=[]), "INVALID_BUG_REPORT_PAYLOAD", "/appState"),
        (small(recentLogs={}), "INVALID_BUG_REPORT_PAYLOAD", "/recentLogs"),
        (small(recentLogs=["x"]), "INVALID_BUG_REPORT_PAYLOAD", "/recentLogs/0"),
        (small(recentLogs=[{"level": "info"}]), "INVALID_BUG_REPORT_PAYLOAD", "/recentLogs/0/message"),
        (small(networkEvents=[full()["networkEvents"][0] | {"error": None}]), "INVALID_BUG_REPORT_PAYLOAD",
         "/networkEvents/0/error"),
        (small(networkEvents=[full()["networkEvents"][0] | {"status": "409"}]), "INVALID_BUG_REPORT_PAYLOAD",
         "/networkEvents/0/status"),
        (small(networkEvents=[full()["networkEvents"][0] | {"requestHeaders": [{"name": "a", "value": "b", "c": ""}]}]),
         "INVALID_BUG_REPORT_PAYLOAD", "/networkEvents/0/requestHeaders/0"),
        (small(screenshot=5), "INVALID_BUG_REPORT_PAYLOAD", "/screenshot"),
        (small() | {"a/b~c": 1}, "INVALID_BUG_REPORT_PAYLOAD", "/a~1b~0c"),
    ],
)  # fmt: skip
def test_the_error_of_an_invalid_report_has_the_path(
    document: Any, code: str, path: str, reporter_api: APIClient
) -> None:
    body = post(reporter_api, document, 400, X_Trace_Id="smoke-test-0002")
    assert set(body) == {"error", "error_code", "trace_id", "timestamp", "details"}
    assert (body["error_code"], body["details"]["path"], body["trace_id"]) == (code, path, "smoke-test-0002")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["timestamp"])
    assert not BugReport.objects.exists()


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"{not json", "application/json", 400, "INVALID_JSON"),
        (b"[" * 100_000, "application/json", 400, "INVALID_JSON"),
        (b'{"a":' * 100_000, "application/json", 400, "INVALID_JSON"),
        (b"\xff\xfe\x00", "application/json", 400, "INVALID_JSON"),
        (b'{"description":"\\ud800"}', "application/json", 400, "INVALID_JSON"),
        (b'{"description":"x","appState":{"n":NaN}}', "application/json", 400, "INVALID_JSON"),
        (gzip.compress(json.dumps(small()).encode()), "application/json", 400, "INVALID_JSON"),
        (b"null", "application/json", 400, "MISSING_PAYLOAD"),
        (b"", "application/json", 400, "MISSING_PAYLOAD"),
        (b"[]", "application/json", 400, "INVALID_PAYLOAD"),
        (b'"text"', "application/json", 400, "INVALID_PAYLOAD"),
        (b"5", "application/json", 400, "INVALID_PAYLOAD"),
        (b"description=x", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"<x/>", "text/xml", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
def test_a_body_that_is_no_json_object_is_rejected(
    content: bytes, content_type: str, status: int, code: str, reporter_api: APIClient
) -> None:
    response = reporter_api.post(URL, content, content_type=content_type)
    assert (response.status_code, response.json()["error_code"]) == (status, code)


def test_ten_mebibytes_are_accepted_and_one_byte_more_is_not(reporter_api: APIClient) -> None:
    empty = len(json.dumps(small(appState={"x": ""})).encode())
    limit = 10 * 1024 * 1024
    fitting = json.dumps(small(appState={"x": "x" * (limit - empty)})).encode()
    assert len(fitting) == limit
    response = reporter_api.post(URL, fitting, content_type="application/json")
    assert response.status_code == 201, response.content
    response = reporter_api.post(URL, fitting + b" ", content_type="application/json")
    assert (response.status_code, response.json()["error_code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert response.headers["Content-Type"] == "application/json"


def test_wrong_client_times_and_additional_keys_are_accepted(reporter_api: APIClient) -> None:
    post(reporter_api, crash(environment={"mode": "x", "more": {"a": 1}}, clientMeta={"locationHref": "", "zoom": 2}))
    context = BugReport.objects.get().context
    assert context.recent_logs[0]["timestamp"] == "not-a-date"
    assert (context.environment["more"], context.client_meta["zoom"]) == ({"a": 1}, 2)


@pytest.mark.parametrize(
    "given", ["../../etc/passwd", "x" * 316, "short", "-starts-badly", "has space in it", "ümläut-trace", ""]
)
def test_an_invalid_trace_id_is_replaced(given: str, reporter_api: APIClient) -> None:
    response = reporter_api.post(
        URL, small(), format="json", headers={"X-Trace-Id": given.encode("utf-8").decode("latin-1")}
    )
    receipt = response.json()
    assert receipt["trace_id"] == response.headers["X-Trace-Id"] != given
    assert re.fullmatch(r"[0-9a-f-]{36}", receipt["trace_id"])
    assert _ID.fullmatch(receipt["report_id"])


@pytest.mark.parametrize("path", [URL, "/api/health", "/api/nothing", "/admin/login/"])
def test_every_response_has_a_trace_id(path: str, api: APIClient) -> None:
    assert api.get(path, headers={"X-Trace-Id": "my-custom-trace-id"}).headers["X-Trace-Id"] == "my-custom-trace-id"


def test_anonymous_users_and_services_may_not_submit(api: APIClient, service_api: APIClient) -> None:
    assert post(api, small(), 401)["error_code"] == "UNAUTHORIZED"
    assert post(service_api, small(), 403)["error_code"] == "FORBIDDEN"


def test_submission_can_be_limited_to_staff(settings: Any, reporter_api: APIClient, admin_api: APIClient) -> None:
    settings.BUGREPORTS_SUBMIT_STAFF_ONLY = True
    assert post(reporter_api, small(), 403)["error_code"] == "FORBIDDEN"
    post(admin_api, small())


# --- screenshots ---


def test_a_screenshot_is_re_encoded_and_shown_only_to_staff(
    reporter_api: APIClient, admin_api: APIClient, api: APIClient
) -> None:
    sent = make_cover(300, form="PNG", pnginfo=None)
    report_id = post(reporter_api, small(screenshot=as_data_url(sent)))["report_id"]
    url = f"{URL}/{report_id}/screenshot"
    response = admin_api.get(url)
    assert (response.headers["Content-Type"], response.headers["Cache-Control"]) == ("image/jpeg", "private, no-store")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.content[:2] == b"\xff\xd8"
    assert api.get(url).status_code == 401
    assert reporter_api.get(url).status_code == 403
    assert api.get(f"/media/bug-reports/{report_id[4:12]}/{report_id}.jpg").status_code == 404


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ("data:text/html;base64," + base64.b64encode(b"<html><script>x</script>").decode(), "a web page"),
        ("data:image/svg+xml;base64," + base64.b64encode(b"<svg onload='x()'/>").decode(), "an SVG"),
        (as_data_url(b"\x89PNG"), "not a JPEG, PNG or WebP"),
        (as_data_url(make_cover(50, form="PNG")[:200]), "The file ends before"),
        (as_data_url(make_cover(50, form="PNG") + b"<script>alert(1)</script>"), "contains another file"),
        ("not base64 at all!", "not in base64"),
        ("data:image/png,plain", "not in base64"),
        ("a", "not in base64"),
        ("A" * 7_000_000, "more than 5242880 bytes"),
        (as_data_url(make_flat_png(30_000, 30_000)), "too many pixels"),
        (as_data_url(b"GIF89a" + b"\x00" * 50), "a GIF"),
    ],
    ids=["html", "svg", "stub", "torn", "trailing", "words", "no base64", "one letter", "large", "bomb", "gif"],
)
def test_a_report_with_an_invalid_screenshot_is_stored_without_it(
    sent: str, why: str, reporter_api: APIClient, admin_api: APIClient
) -> None:
    report_id = post(reporter_api, small(screenshot=sent))["report_id"]
    report = admin_api.get(f"{URL}/{report_id}").json()["report"]
    assert why in report["screenshot_error"]
    assert report["screenshot_path"] is None
    assert admin_api.get(f"{URL}/{report_id}/screenshot").json()["error_code"] == "SCREENSHOT_NOT_FOUND"


def test_the_screenshot_error_of_the_client_is_stored(reporter_api: APIClient) -> None:
    post(reporter_api, crash())
    assert BugReport.objects.get().screenshot_error == "Screenshot capture failed: canvas is tainted"


def test_a_report_is_stored_without_its_screenshot_if_the_storage_fails(reporter_api: APIClient, settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {"private": FAILING}
    post(reporter_api, small(screenshot=make_screenshot()))
    assert "could not be stored" in BugReport.objects.get().screenshot_error


# --- repeats and recurrences ---


def test_equal_content_within_a_minute_is_one_report(reporter_api: APIClient) -> None:
    first = post(reporter_api, full())
    again = post(reporter_api, full(recentLogs=[], networkEvents=[]))
    assert again == first
    assert BugReport.objects.count() == 1
    BugReport.objects.update(submitted_at="2025-01-01T00:00:00Z")
    assert post(reporter_api, full())["report_id"] != first["report_id"]


def test_an_idempotency_key_returns_the_report_or_conflicts(reporter_api: APIClient) -> None:
    first = post(reporter_api, small(), Idempotency_Key="k1")
    BugReport.objects.update(submitted_at="2025-01-01T00:00:00Z")
    assert post(reporter_api, small(), Idempotency_Key="k1") == first
    body = post(reporter_api, small(description="another one"), 409, Idempotency_Key="k1")
    assert body["error_code"] == "IDEMPOTENCY_KEY_REUSED"
    assert post(reporter_api, small(), Idempotency_Key="k2")["report_id"] != first["report_id"]


def test_equal_content_of_two_users_makes_two_reports(reporter_api: APIClient, admin_api: APIClient) -> None:
    assert post(reporter_api, small())["report_id"] != post(admin_api, small())["report_id"]


def _report(receipt: dict[str, Any]) -> BugReport:
    return BugReport.objects.get(report_id=receipt["report_id"])


def _others(count: int) -> list[APIClient]:
    return [APIClient(headers={"Authorization": bearer(UserFactory())}) for _ in range(count)]


def test_a_known_problem_becomes_a_duplicate(reporter_api: APIClient) -> None:
    canonical = post(reporter_api, crash())
    sightings = [_report(post(api, crash())) for api in _others(2)]
    report = _report(canonical)
    assert (report.status, report.occurrence_count) == ("open", 3)
    assert report.last_seen_at == sightings[-1].submitted_at
    for sighting in sightings:
        assert (sighting.status, sighting.resolution_kind, sighting.duplicate_of) == ("resolved", "duplicate", report)
    assert list(BugReport.objects.untriaged()) == [report]
    group = BugReportGroup.objects.get()
    assert (group.seen_count, group.canonical_report) == (3, report)
    assert list(report.events.values_list("event_type", flat=True)) == ["submitted", "recurred", "recurred"]


def test_a_duplicate_of_a_resolved_report_reopens_it(reporter_api: APIClient, admin_api: APIClient) -> None:
    canonical = post(reporter_api, crash())["report_id"]
    data = {"status": "resolved", "resolution_kind": "fixed"}
    assert admin_api.patch(f"{URL}/{canonical}", data, format="json").status_code == 200
    [other] = _others(1)
    post(other, crash())
    report = BugReport.objects.get(report_id=canonical)
    assert (report.status, report.resolution_kind, report.resolved_at) == ("open", None, None)
    assert list(BugReport.objects.regressed()) == [report]
    event = report.events.get(event_type="regressed")
    assert (event.actor_type, event.event_data["from"], event.event_data["to"]) == ("system", "resolved", "open")
    assert event.event_data["before"]["resolution_kind"] == "fixed"


def test_a_duplicate_of_an_ignored_report_is_counted(reporter_api: APIClient, admin_api: APIClient) -> None:
    canonical = post(reporter_api, crash())["report_id"]
    admin_api.patch(f"{URL}/{canonical}", {"status": "ignored"}, format="json")
    post(_others(1)[0], crash())
    report = BugReport.objects.get(report_id=canonical)
    assert (report.status, report.occurrence_count) == ("ignored", 2)


def test_a_problem_without_remaining_reports_starts_again(reporter_api: APIClient) -> None:
    post(reporter_api, crash())
    BugReport.objects.all().delete()
    report = _report(post(reporter_api, crash()))
    assert (report.status, report.occurrence_count) == ("open", 1)
    assert (report.group.seen_count, report.group.canonical_report) == (2, report)


@pytest.mark.django_db(transaction=True)
def test_concurrent_reports_of_one_problem_have_one_canonical_report() -> None:
    users = [UserFactory() for _ in range(4)]
    receipts: list[str] = []

    def send(user: User) -> None:
        try:
            api = APIClient(headers={"Authorization": bearer(user)})
            receipts.append(post(api, crash())["report_id"])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(user,)) for user in users * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receipts) == 8
    assert BugReport.objects.count() == len(set(receipts)) == 4
    [canonical] = BugReport.objects.filter(duplicate_of=None)
    assert canonical.occurrence_count == 4
    assert BugReportEvent.objects.filter(report=canonical, event_type="recurred").count() == 3


# --- budgets ---


def _rates(monkeypatch: pytest.MonkeyPatch, **rates: str) -> None:
    merged = api_settings.DEFAULT_THROTTLE_RATES | rates
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", merged, raising=False)


@pytest.mark.parametrize("scope", ["bug_reports", "bug_reports_day", "bug_reports_all"])
def test_the_rate_limit_applies_before_the_body_is_read(
    scope: str, reporter_api: APIClient, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    _rates(monkeypatch, **{scope: "3/hour"})
    answers = [reporter_api.post(URL, small(description=f"no {n}"), format="json") for n in range(3)]
    if scope == "bug_reports_all":  # others of this run count into it, too
        answers = [response for response in answers if response.status_code == 201]
    assert {response.status_code for response in answers} <= {201}
    with django_assert_max_num_queries(1):
        refused = reporter_api.post(URL, b"{" * 5_000_000, content_type="application/json")
    assert (refused.status_code, refused.json()["error_code"]) == (429, "RATE_LIMITED")
    assert int(refused.headers["Retry-After"]) > 0


def test_the_rate_limit_rejects_a_flood_with_few_queries(
    reporter_api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _rates(monkeypatch, bug_reports="5/hour")
    statuses = [reporter_api.post(URL, small(), format="json").status_code for _ in range(300)]
    assert statuses.count(429) >= 295
    assert BugReport.objects.count() <= 5


def test_the_number_of_queries_does_not_depend_on_the_size(
    reporter_api: APIClient, django_assert_max_num_queries: Any, connection_queries: CaptureQueriesContext
) -> None:
    post(reporter_api, small())
    with connection_queries as few:
        post(reporter_api, small(description="first"))
    log = full()["recentLogs"][0]
    with connection_queries as many:
        post(reporter_api, small(description="second", recentLogs=[log | {"level": "info"}] * 200))
    assert len(many) == len(few)
