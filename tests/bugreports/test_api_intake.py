"""POST /api/bug-reports."""

import pytest
from rest_framework.test import APIClient

from tests.support.reports import crash, full, make_screenshot, small

pytestmark = pytest.mark.django_db
URL = "/api/bug-reports"


@pytest.mark.parametrize("document", [small(), full(), crash()])
def test_a_report_comes_in_and_can_be_read(document, reporter_api: APIClient, admin_api: APIClient) -> None:
    answer = reporter_api.post(URL, document, format="json", headers={"X-Trace-Id": "smoke-test-0001"})
    assert answer.status_code == 201, answer.content
    receipt = answer.json()
    assert receipt["success"] is True
    assert receipt["trace_id"] == answer.headers["X-Trace-Id"] == "smoke-test-0001"
    assert receipt["stored_at"] == f"database:bug_reports:{receipt['report_id']}"
    report = admin_api.get(f"{URL}/{receipt['report_id']}").json()["report"]
    assert report["description"] == document["description"]
    assert report["submitted_by"] == "lia@studio.example"
    assert report["events"][0]["event_type"] == "submitted"


def test_secrets_of_the_whole_example_are_gone(reporter_api: APIClient, admin_api: APIClient) -> None:
    report_id = reporter_api.post(URL, full(screenshot=make_screenshot()), format="json").json()["report_id"]
    answer = admin_api.get(f"{URL}/{report_id}")
    text = answer.content.decode()
    for secret in ("tok_live_4711", "hunter2", "eyJhbGciOi", "k-123"):
        assert secret not in text
    report = answer.json()["report"]
    assert report["redaction_count"] == 4
    assert "args" not in report["recent_logs"][0]
    assert report["recent_logs"][0]["serializedArgs"][0]["message"] == "409 Conflict"
    picture = admin_api.get(report["screenshot_url"])
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert picture.headers["Cache-Control"] == "private, no-store"
