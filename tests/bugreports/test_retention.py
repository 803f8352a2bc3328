"""Deleted, reduced and retained reports, and the state after a failure during a purge."""

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.db import connection, connections
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from bugreports.audit_log import Actor
from bugreports.deletion import delete_reports
from bugreports.errors import PurgeInProgress, PurgeTooLarge
from bugreports.file_cleanup import delete_pending_files, sweep_orphans
from bugreports.models import (
    BugReport,
    BugReportContext,
    BugReportEvent,
    BugReportScreenshot,
    PendingFileDeletion,
    PurgeRun,
)
from bugreports.purge import SCHEDULED, _purge_lock, chain_digest, purge
from bugreports.screenshots import private_storage, screenshot_key
from bugreports.tasks import cleanup_report_files, purge_expired_reports
from common.timestamps import format_timestamp
from tests.factories.bugreports import BugReportFactory, PurgeRunFactory
from tests.support.processes import ENVIRONMENT, PROJECT

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 14, 2, 30, tzinfo=UTC)
LONG_AGO, JUST_NOW = NOW - timedelta(days=31), NOW - timedelta(days=29)
CUTOFF = NOW - timedelta(days=30)


def add_screenshot(report: BugReport) -> str:
    key = private_storage().save(screenshot_key(report.report_id), ContentFile(b"picture"))
    BugReportScreenshot.objects.create(
        report=report, key=key, content_type="image/jpeg", sha256="0" * 64, size_bytes=7, width_px=1, height_px=1
    )
    return key


def stored() -> list[str]:
    storage = private_storage()
    try:
        days, _ = storage.listdir("bug-reports")
    except FileNotFoundError:
        return []
    return sorted(f"bug-reports/{day}/{name}" for day in days for name in storage.listdir(f"bug-reports/{day}")[1])


def run(**more: Any) -> Any:
    return purge(requested_by="theo@studio.example", now=NOW, **more)


def test_closed_reports_are_deleted_with_all_their_data() -> None:
    old = BugReportFactory(status="resolved", submitted_at=LONG_AGO)
    kept = BugReportFactory(status="resolved", submitted_at=JUST_NOW)
    key = add_screenshot(old)
    kept_key = add_screenshot(kept)
    result = run()
    assert result.document() == {
        "status": "success", "results": {"matched": 1, "deleted": 1, "skipped": 0, "cutoff": format_timestamp(CUTOFF)},
    }  # fmt: skip
    assert list(BugReport.objects.all()) == [kept]
    assert BugReportContext.objects.count() == BugReportEvent.objects.count() == 1
    assert stored() == [kept_key] != [key]
    receipt = PurgeRun.objects.get()
    assert (receipt.status, receipt.requested_by) == ("done", "theo@studio.example")
    assert (receipt.matched, receipt.deleted, receipt.digest) == (1, 1, chain_digest("", [old.report_id]))


def test_a_report_at_the_exact_cutoff_is_kept() -> None:
    exact = BugReportFactory(status="ignored", submitted_at=CUTOFF)
    over = BugReportFactory(status="ignored", submitted_at=CUTOFF - timedelta(microseconds=1))
    assert run().deleted == 1
    assert list(BugReport.objects.all()) == [exact] != [over]


def test_active_reports_lose_personal_data() -> None:
    report = BugReportFactory(submitted_at=LONG_AGO, priority="high", description="The shelf is empty")
    add_screenshot(report)
    result = run()
    assert (result.matched, result.deleted, result.skipped, result.expired) == (1, 0, 1, 1)
    report.refresh_from_db()
    assert (report.submitted_by, report.has_recent_logs, report.context_expired_at) == (None, False, NOW)
    assert (report.description, report.priority, report.status) == ("The shelf is empty", "high", "open")
    assert not BugReportContext.objects.exists()
    assert not BugReportScreenshot.objects.exists()
    assert stored() == []
    assert [(event.event_type, event.actor_id) for event in report.events.all()] == [
        ("submitted", None), ("context_expired", None),
    ]  # fmt: skip
    assert list(BugReport.objects.expired_but_active()) == [report]
    assert run().expired == 0
    assert report.events.count() == 2


def test_active_reports_are_deleted_if_the_setting_is_on(settings: Settings) -> None:
    settings.BUGREPORTS_PURGE_OPEN = True
    BugReportFactory(submitted_at=LONG_AGO)
    held = BugReportFactory(submitted_at=LONG_AGO, retain=True, retain_reason="x")
    assert (run().deleted, BugReport.objects.get()) == (1, held)


def test_retained_reports_do_not_change() -> None:
    for status in ("open", "resolved"):
        add_screenshot(BugReportFactory(status=status, submitted_at=LONG_AGO, retain=True, retain_reason="lawyers"))
    result = run()
    assert (result.matched, result.deleted, result.skipped, result.expired) == (2, 0, 2, 0)
    assert BugReportContext.objects.count() == len(stored()) == 2


def test_a_dry_run_counts_and_changes_nothing() -> None:
    BugReportFactory.create_batch(3, status="resolved", submitted_at=LONG_AGO)
    BugReportFactory(submitted_at=LONG_AGO)
    BugReportFactory(status="resolved", submitted_at=LONG_AGO, retain=True, retain_reason="x")
    dry = run(is_dry_run=True)
    assert dry.document()["results"] == {"matched": 5, "deleted": 0, "skipped": 2, "cutoff": format_timestamp(CUTOFF)}
    assert (dry.expired, BugReport.objects.count(), PurgeRun.objects.count()) == (1, 5, 0)
    real = run()
    assert (real.matched, real.deleted, real.skipped, real.expired) == (5, 3, 2, 1)


@pytest.mark.parametrize("days", [0, -5])
def test_zero_days_keep_everything(days: int, settings: Settings) -> None:
    BugReportFactory(status="resolved", submitted_at=LONG_AGO)
    assert run(days=days).document() == {"status": "skipped", "reason": "retention-disabled"}
    settings.BUGREPORTS_RETENTION_DAYS = days
    assert run().document() == {"status": "skipped", "reason": "retention-disabled"}
    assert BugReport.objects.count() == 1


def test_a_duplicate_outlives_its_canonical_report() -> None:
    canonical = BugReportFactory(status="resolved", submitted_at=LONG_AGO)
    young = BugReportFactory(
        status="resolved", resolution_kind="duplicate", duplicate_of=canonical, submitted_at=JUST_NOW
    )  # fmt: skip
    run()
    young.refresh_from_db()
    assert (young.duplicate_of, young.status) == (None, "resolved")


def test_the_digest_does_not_depend_on_the_batch_size(settings: Settings) -> None:
    settings.BUGREPORTS_PURGE_BATCH_ROWS = 2
    moments = [LONG_AGO - timedelta(days=day) for day in (3, 1, 2, 5, 4)]
    reports = [BugReportFactory(status="resolved", submitted_at=moment) for moment in moments]
    ids = [report.report_id for report in sorted(reports, key=lambda report: report.submitted_at)]
    assert run().digest == chain_digest("", ids)


def test_the_scheduled_purge_aborts_on_an_unusual_number(settings: Settings) -> None:
    settings.BUGREPORTS_PURGE_MAX_ROWS = 3
    BugReportFactory.create_batch(4, status="resolved", submitted_at=LONG_AGO)
    with pytest.raises(PurgeTooLarge):
        purge(requested_by=SCHEDULED, now=NOW)
    assert (BugReport.objects.count(), PurgeRun.objects.get().status) == (4, "aborted")
    with pytest.raises(PurgeTooLarge):
        purge(requested_by=SCHEDULED, now=NOW + timedelta(days=365))
    PurgeRunFactory(deleted=1)  # ten times as many as ever before are usual growth
    assert purge(requested_by=SCHEDULED, now=NOW).deleted == 4


def test_a_purge_by_a_user_has_no_row_limit(settings: Settings) -> None:
    settings.BUGREPORTS_PURGE_MAX_ROWS = 0
    BugReportFactory(status="resolved", submitted_at=LONG_AGO)
    assert run().deleted == 1


@pytest.mark.django_db(transaction=True)
def test_two_purges_do_not_run_at_once() -> None:
    refused: list[bool] = []

    def other() -> None:
        try:
            run()
        except PurgeInProgress:
            refused.append(True)
        finally:
            connections.close_all()

    with _purge_lock():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert refused == [True]
    assert run().status == "success"


def test_files_stay_pending_while_the_storage_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [add_screenshot(BugReportFactory(status="resolved", submitted_at=LONG_AGO)) for _ in range(3)]

    def fail(*args: Any) -> None:
        raise OSError("no route to storage")

    with monkeypatch.context() as patched:
        patched.setattr(type(private_storage()), "delete", fail)
        assert run().deleted == 3
    assert sorted(PendingFileDeletion.objects.values_list("key", flat=True)) == sorted(keys) == stored()
    assert delete_pending_files() == 3
    assert (stored(), PendingFileDeletion.objects.count()) == ([], 0)


def test_a_report_is_deleted_with_its_screenshot(django_capture_on_commit_callbacks: Any) -> None:
    report = BugReportFactory(retain=True, retain_reason="x")
    add_screenshot(report)
    with django_capture_on_commit_callbacks(execute=True):
        delete_reports([report.report_id], by=Actor("theo@studio.example"), now=NOW)
    assert (BugReport.objects.count(), stored(), PendingFileDeletion.objects.count()) == (0, [], 0)


def test_orphaned_screenshots_are_deleted_after_the_grace_period(settings: Settings) -> None:
    kept = add_screenshot(BugReportFactory())
    orphan = private_storage().save("bug-reports/20260101/bug_x.jpg", ContentFile(b"x"))
    report = sweep_orphans(timezone.now())
    assert (report.checked, report.recent_orphans, report.deleted) == (2, 1, 0)
    report = sweep_orphans(timezone.now() + timedelta(days=2))
    assert (report.deleted, stored()) == (1, [kept] if kept != orphan else [])
    cleanup_report_files()


def test_the_schedule_purges(settings: Settings) -> None:
    BugReportFactory(status="resolved", submitted_at=timezone.now() - timedelta(days=31))
    purge_expired_reports()
    assert not BugReport.objects.exists()
    assert PurgeRun.objects.get().requested_by == SCHEDULED
    entry = settings.CELERY_BEAT_SCHEDULE["bugreports-purge-expired"]["schedule"]
    assert (entry.hour, entry.minute) == ({2}, {30})


def test_the_api_purges_with_the_legacy_response(admin_api: APIClient) -> None:
    BugReportFactory(status="resolved", submitted_at=timezone.now() - timedelta(days=10))
    url = "/api/bug-reports/purge"
    dry = admin_api.post(url, {"older_than_days": 5, "dry_run": True}, format="json").json()
    assert (dry["status"], dry["results"]["matched"], dry["results"]["deleted"]) == ("dry_run", 1, 0)
    assert admin_api.post(url, {}, format="json").json()["results"]["matched"] == 0
    assert admin_api.post(url, {"older_than_days": 0}, format="json").json() == {
        "status": "skipped", "reason": "retention-disabled",
    }  # fmt: skip
    assert admin_api.post(url, {"older_than_days": 5}, format="json").json()["results"]["deleted"] == 1


@pytest.mark.parametrize(
    "data",
    [{"dry_run": "false"}, {"dry_run": 1}, {"older_than_days": "30"}, {"older_than_days": -1}, {"older_than_days": 1.5},
     {"older_than_days": True}, {"older_than_days": None}, {"days": 3}, {"older_than_days": 10**12}],
)  # fmt: skip
def test_the_api_rejects_other_types(data: dict[str, Any], admin_api: APIClient) -> None:
    BugReportFactory(status="resolved", submitted_at=LONG_AGO)
    response = admin_api.post("/api/bug-reports/purge", data, format="json")
    assert (response.status_code, BugReport.objects.count()) == (400, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["before 1", "before 3", "within 3", "after 3", "before files"])
def test_a_purge_after_a_kill_completes_the_deletion(point: str, tmp_path: Path, settings: Settings) -> None:
    private = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"private": private}
    long_ago = timezone.now() - timedelta(days=40)
    for hours in range(12):
        add_screenshot(BugReportFactory(status="resolved", submitted_at=long_ago + timedelta(hours=hours)))
    held = BugReportFactory(status="resolved", submitted_at=long_ago, retain=True, retain_reason="x")
    add_screenshot(held)
    ids = list(BugReport.objects.exclude(pk=held.pk).order_by("submitted_at").values_list("report_id", flat=True))
    data = {
        "database": connection.settings_dict["NAME"], "point": point,
        "settings": {"STORAGES": django_settings.STORAGES, "BUGREPORTS_PURGE_BATCH_ROWS": 2},
    }  # fmt: skip
    killed = subprocess.run(
        [sys.executable, "-m", "tests.support.crashing_purge", json.dumps(data)],
        cwd=PROJECT, env=ENVIRONMENT, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert killed.returncode == -9, killed.stderr.decode()
    broken = PurgeRun.objects.get()
    gone = 12 - (BugReport.objects.count() - 1)
    assert (broken.status, broken.deleted) == ("running", gone)
    assert broken.digest == (chain_digest("", ids[:gone]) if gone else "")
    # Each screenshot has a row or is pending for removal.
    named = set(BugReportScreenshot.objects.values_list("key", flat=True))
    assert set(stored()) == named | set(PendingFileDeletion.objects.values_list("key", flat=True))
    assert purge(requested_by="command", now=timezone.now()).deleted == 12 - gone
    broken.refresh_from_db()
    assert broken.status == "interrupted"
    assert (BugReport.objects.get(), PendingFileDeletion.objects.count(), len(stored())) == (held, 0, 1)


@pytest.mark.parametrize(
    ("environment", "days"),
    [({}, "30"), ({"bug_reports.retention_days": "7"}, "7"),
     ({"bug_reports.retention_days": "7", "BUGREPORTS_RETENTION_DAYS": "9"}, "9")],
)  # fmt: skip
def test_the_former_name_of_the_setting_is_read(environment: dict[str, str], days: str) -> None:
    program = "from config.settings.domain import BUGREPORTS_RETENTION_DAYS as days; print(days)"
    known = {name: value for name, value in ENVIRONMENT.items() if name != "BUGREPORTS_RETENTION_DAYS"}
    outcome = subprocess.run(
        [sys.executable, "-c", program],
        env=known | environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert outcome.stdout.strip() == days
