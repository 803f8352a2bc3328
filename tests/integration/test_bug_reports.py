"""Bug reports end to end: submitted from a page, triaged by keyboard, closed in bulk; their content is inert."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.demo import ADMIN_EMAIL, DEMO_PASSWORD, EDITOR_EMAIL, ensure_demo_users
from accounts.models import User
from accounts.tokens import issue_token
from bugreports.audit_log import Actor
from bugreports.models import BugReport, PurgeRun
from bugreports.tasks import purge_expired_reports
from bugreports.triage import resolve
from taxonomy.sync import install_starter_taxonomy
from tests.factories.accounts import bearer
from tests.factories.bugreports import BugReportFactory
from tests.support.browser import log_in, needs_browser, open_page
from tests.support.bug_report_payloads import full, make_screenshot
from tests.support.processes import PROJECT, ended_at_last, wait_until, worker_environment
from tests.support.sample_images import make_cover

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), needs_browser]

_HOSTILE = (
    "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'> javascript:alert(1)"
    " {{ 7|add:7 }} {% now 'Y' %} https://evil.example/pixel.png [link](https://evil.example) \u202etxt.exe"
)


@pytest.fixture(autouse=True)
def allow_queries_next_to_playwright(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright runs an event loop in this thread, in which Django would raise SynchronousOnlyOperation."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def registry(live_server: object, settings: Settings) -> str:
    settings.STORAGES = dict(settings.STORAGES)
    install_starter_taxonomy(now=timezone.now())
    ensure_demo_users()
    return live_server.url  # type: ignore[attr-defined]


def _save_screenshot(page: Page, name: str) -> None:
    """Save a screenshot if KEEP_SCREENSHOTS names a folder."""
    if folder := os.environ.get("KEEP_SCREENSHOTS"):
        page.wait_for_load_state("networkidle")
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_a_page_submits_a_report_with_its_logs_and_requests(registry: str, tmp_path: Path) -> None:
    token = issue_token(User.objects.get(email=EDITOR_EMAIL), timezone.now())
    (tmp_path / "shot.png").write_bytes(make_cover(400, form="PNG"))
    with open_page(registry) as (page, page_errors):
        page.route(
            f"{registry}/report-form", lambda route: route.fulfill(path=PROJECT / "docs" / "bug-report-form.html")
        )
        page.goto(f"{registry}/report-form")
        page.fill("#base", registry)
        page.fill("#token", token)
        page.click("#provoke")
        expect(page.locator("#counts")).to_have_text("2 log entries, 1 requests")
        page.fill("#description", "The asset does not load")
        page.fill("#steps", "Open the page\n\nPress the button")
        page.set_input_files("#picture", str(tmp_path / "shot.png"))
        page.click("button[type=submit]")
        expect(page.locator("#outcome")).to_contain_text("Thank you: bug_")
        assert [error for error in page_errors if "no-such-name" not in error] == []
    report = BugReport.objects.select_related("context", "screenshot").get()
    assert report.submitted_by == EDITOR_EMAIL
    assert report.steps_to_reproduce == ["Open the page", "Press the button"]
    assert report.screenshot.width_px == 400
    assert [entry["level"] for entry in report.context.recent_logs] == ["error", "warn"]
    [request] = report.context.network_events
    assert (request["status"], request["requestHeaders"]) == (404, [{"name": "authorization", "value": "[REDACTED]"}])
    assert "not-for-anybody" not in str(report.context.recent_logs)
    assert token not in str(vars(report.context))


def test_three_reports_are_triaged_by_keyboard(registry: str) -> None:
    first, second, third = (BugReportFactory(description=f"Report number {number}") for number in (3, 2, 1))
    api = APIClient(headers={"Authorization": bearer(User.objects.get(email=EDITOR_EMAIL))})
    api.post("/api/bug-reports", full(screenshot=make_screenshot(500)), format="json")
    newest = BugReport.objects.latest("pk")
    with open_page(registry) as (page, page_errors):
        log_in(page, registry, ADMIN_EMAIL, DEMO_PASSWORD)
        page.goto(f"{registry}/admin/bugreports/bugreport/?queue=untriaged")
        _save_screenshot(page, "queue")
        expect(page.locator("a:has-text('Untriaged')").first).to_contain_text("4")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/change/**")
        expect(page.locator("h1").last).to_have_text(newest.first_line)
        _save_screenshot(page, "detail")
        page.keyboard.press("s")  # start: the page of the report stays open
        expect(page.locator(".bug-facts strong")).to_have_text("In progress")
        page.keyboard.press("r")
        page.fill("#resolve_commit_sha", "77c0de1")
        _save_screenshot(page, "resolve")
        page.keyboard.press("Enter")  # resolve: the next report of the queue opens
        expect(page.locator("h1").last).to_have_text(third.first_line)
        page.keyboard.press("i")
        page.keyboard.press("Enter")
        expect(page.locator("h1").last).to_have_text(second.first_line)
        page.keyboard.press("d")
        page.keyboard.type(first.report_id)
        page.keyboard.press("Enter")
        expect(page.locator("h1").last).to_have_text(first.first_line)
        page.keyboard.press("c")
        page.keyboard.type("Seen by two of us")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".bug-page")).to_contain_text("Seen by two of us")
        assert page_errors == []
    newest.refresh_from_db()
    assert (newest.status, newest.resolution_kind, newest.resolution_commit_sha) == ("resolved", "fixed", "77c0de1")
    assert newest.resolution_actor_id == ADMIN_EMAIL
    third.refresh_from_db()
    second.refresh_from_db()
    first.refresh_from_db()
    assert third.status == "ignored"
    assert (second.duplicate_of, first.occurrence_count) == (first, 2)


def test_several_reports_are_closed_after_a_confirmation_with_their_number(registry: str) -> None:
    BugReportFactory.create_batch(5)
    with open_page(registry) as (page, page_errors):
        log_in(page, registry, ADMIN_EMAIL, DEMO_PASSWORD)
        page.goto(f"{registry}/admin/bugreports/bugreport/")
        page.keyboard.press("j")
        page.keyboard.press("x")
        page.keyboard.press("j")
        page.keyboard.press("x")
        page.select_option("select[name=action]", "resolve")
        _save_screenshot(page, "selected")
        page.evaluate("document.querySelector('#changelist-form').requestSubmit()")
        expect(page.locator("h1").last).to_have_text("Resolve: 2 reports")
        _save_screenshot(page, "confirm")
        page.click("button:has-text('Resolve 2 reports')")
        expect(page.locator("body")).to_contain_text("2 reports resolved.")
        assert page_errors == []
    assert BugReport.objects.filter(status="resolved").count() == 2


def test_the_content_of_a_report_runs_loads_and_links_nothing(registry: str) -> None:
    log = {"level": "error", "message": _HOSTILE, "args": [], "timestamp": _HOSTILE, "serializedArgs": [_HOSTILE]}
    event = {
        "id": "1", "method": _HOSTILE, "url": "https://evil.example/" + _HOSTILE, "started_at": _HOSTILE,
        "requestHeaders": [{"name": _HOSTILE, "value": _HOSTILE}], "responseHeaders": [], "status": 500,
        "requestBody": _HOSTILE, "responseBody": _HOSTILE, "error": _HOSTILE,
    }  # fmt: skip
    document = full(
        description=_HOSTILE, expectedBehavior=_HOSTILE, actualBehavior=_HOSTILE, stepsToReproduce=[_HOSTILE],
        environment={"mode": _HOSTILE, "appVersion": _HOSTILE, _HOSTILE: _HOSTILE},
        clientMeta={"locationHref": "javascript:window.ran = 3"}, appState={_HOSTILE: {_HOSTILE: [_HOSTILE]}},
        recentLogs=[log], networkEvents=[event], screenshot=_HOSTILE, screenshotError=_HOSTILE,
    )  # fmt: skip
    api = APIClient(headers={"Authorization": bearer(User.objects.get(email=EDITOR_EMAIL))})
    assert api.post("/api/bug-reports", document, format="json").status_code == 201
    report = BugReport.objects.get()
    with open_page(registry) as (page, page_errors):
        log_in(page, registry, ADMIN_EMAIL, DEMO_PASSWORD)
        for path in ("", f"{report.pk}/change/?queue=untriaged", f"{report.pk}/history/"):
            page.goto(f"{registry}/admin/bugreports/bugreport/{path}")
            page.wait_for_load_state("networkidle")
            assert page.evaluate("window.ran") is None
            hrefs = page.eval_on_selector_all("#main a, #content a", "all => all.map(one => one.href)")
            assert [href for href in hrefs if href and not href.startswith(registry)] == []
        page.goto(f"{registry}/admin/bugreports/bugreport/{report.pk}/change/")
        _save_screenshot(page, "hostile")
        text = page.locator(".bug-page").inner_text()
        assert "<script>window.ran = 1</script>" in text
        assert "U+202E" in text
        assert page_errors == []


def test_a_worker_purges_expired_reports(registry: str, tmp_path: Path, settings: Settings) -> None:
    private = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"private": private}
    api = APIClient(headers={"Authorization": bearer(User.objects.get(email=EDITOR_EMAIL))})
    for number in range(3):
        document = full(
            description=f"Number {number}", screenshot=make_screenshot(200), recentLogs=[], networkEvents=[]
        )
        assert api.post("/api/bug-reports", document, format="json").status_code == 201
    oldest, old, young = BugReport.objects.order_by("pk")
    long_ago = timezone.now() - timedelta(days=31)
    BugReport.objects.filter(pk__in=[oldest.pk, old.pk]).update(submitted_at=long_ago)
    resolve([oldest.report_id], by=Actor("theo@studio.example"), now=timezone.now())
    assert len(list(tmp_path.rglob("*.jpg"))) == 3
    environment = worker_environment(tmp_path)
    command = [sys.executable, "-m", "celery", "--app", "config", "--quiet", "worker", "--concurrency", "1"]
    worker = subprocess.Popen(command, env=environment, cwd=PROJECT, text=True)
    with ended_at_last(worker):
        purge_expired_reports.delay()
        wait_until(lambda: PurgeRun.objects.filter(status="done").exists(), 60)
        worker.terminate()
        worker.wait(30)
    assert set(BugReport.objects.all()) == {old, young}
    old.refresh_from_db()
    assert (old.status, old.submitted_by) == ("open", None)
    assert [path.stem for path in tmp_path.rglob("*.jpg")] == [young.report_id]
    run = PurgeRun.objects.get()
    assert (run.matched, run.deleted, run.skipped, run.expired) == (2, 1, 1, 1)
