"""`manage.py bug_reports`: JSON on stdout, exit codes, the same actions."""

import hashlib
import io
import json
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from bugreports.models import BugReport, PurgeRun
from tests.factories.accounts import AdminFactory
from tests.factories.bugreports import BugReportFactory
from tests.support.processes import ENVIRONMENT, PROJECT

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("bug_reports", *arguments, stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def fails(*arguments: str) -> int:
    out = io.StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("bug_reports", *arguments, stdout=out, stderr=io.StringIO())
    assert out.getvalue() == ""
    return failure.value.returncode


def test_reports_are_listed_shown_and_exported() -> None:
    one = BugReportFactory(status="resolved")
    two = BugReportFactory(priority="high", description="Grüße <b>")
    listed = run("list")
    assert (listed["total"], [row["report_id"] for row in listed["reports"]]) == (2, [two.report_id, one.report_id])
    assert "app_state" not in listed["reports"][0]
    assert "app_state" in run("list", "--include-context", "--limit", "1")["reports"][0]
    assert run("list", "--status", "resolved")["total"] == run("list", "--priority", "high", "--json")["total"] == 1
    assert run("list", "--assignee", "none", "--priority", "none")["total"] == 1
    assert run("show", two.report_id)["recent_logs"][0]["message"] == "it broke"
    assert [row["report_id"] for row in run("export", "--status", "open")] == [two.report_id]
    assert run("export", "--status", "ignored") == []
    assert run("list", "--status", "ignored") == {"total": 0, "reports": []}


def test_a_terminal_gets_a_table() -> None:
    report = BugReportFactory()
    out = io.StringIO()
    out.isatty = lambda: True  # type: ignore[method-assign]
    call_command("bug_reports", "list", stdout=out)
    assert out.getvalue().split()[:2] == [report.report_id, "open"]
    BugReport.objects.all().delete()
    call_command("bug_reports", "list", stdout=out)
    assert out.getvalue().endswith("No bug reports.\n")


def test_a_change_records_its_actor() -> None:
    report, user = BugReportFactory(), AdminFactory()
    data = '{"notes": "Fixed", "commit_sha": "77c0de1", "kind": "fixed"}'
    changed = run("update", report.report_id, "--status", "resolved", "--resolution", data, "--priority", "low",
                  "--assignee", user.email, "--actor", "ops@studio.example")  # fmt: skip
    assert (changed["status"], changed["resolution_kind"], changed["assignee"]) == ("resolved", "fixed", user.email)
    assert set(report.events.values_list("actor_id", "actor_type")[1:]) == {("ops@studio.example", "user")}
    run("update", report.report_id, "--status", "open", "--assignee", "none")
    assert report.events.last().actor_type == "agent"
    other = BugReportFactory()
    assert run("update", other.report_id, "--duplicate-of", report.report_id)["duplicate_of"] == report.report_id


def test_errors_exit_with_1_and_wrong_usage_with_2() -> None:
    nobody, report = "bug_20260101_000000_00000000", BugReportFactory(status="resolved")
    assert fails("show", nobody) == fails("delete", nobody) == fails("update", nobody, "--status", "open") == 1
    assert fails("update", report.report_id, "--status", "ignored") == 1
    for data in ("{not json", "[]", '{"sha": "x"}', '{"notes": 5}', '{"kind": "magic"}'):
        assert fails("update", report.report_id, "--status", "resolved", "--resolution", data) == 2
    assert fails("list", "--limit", "0") == 2


def test_a_report_is_deleted() -> None:
    report = BugReportFactory()
    assert run("delete", report.report_id) == {"success": True, "report_id": report.report_id}
    assert not BugReport.objects.exists()


def test_stats_count_the_queues() -> None:
    BugReportFactory(priority="high")
    BugReportFactory(status="resolved")
    BugReportFactory(submitted_at=timezone.now() - timedelta(days=28))
    run("purge")
    pagination = run("stats")
    assert pagination["by_status"] == {"open": 2, "in_progress": 0, "resolved": 1, "ignored": 0}
    assert (pagination["untriaged"], pagination["expiring_soon"], pagination["active_by_priority"]) == (
        2,
        1,
        {"none": 1, "high": 1},
    )
    assert pagination["last_purge"]["status"] == "done"


def test_a_purge_of_ten_thousand_reports_matches_its_dry_run() -> None:
    now = timezone.now()
    day = timedelta(days=1)
    BugReport.objects.bulk_create(
        BugReport(
            report_id=f"bug_20250101_000000_{number:012}", submitted_at=now - 31 * day - number * timedelta(seconds=1),
            last_seen_at=now, created_at=now, updated_at=now, description="x",
            status="open" if number % 10 == 0 else "resolved", resolved_at=None if number % 10 == 0 else now,
            retain=number % 100 == 1, retain_reason="x" if number % 100 == 1 else "",
        )
        for number in range(10_000)
    )  # fmt: skip
    dry = run("purge", "--dry-run")
    assert (dry["status"], dry["results"]["matched"], dry["results"]["skipped"]) == ("dry_run", 10_000, 1100)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT report_id FROM bugreports_bugreport WHERE status IN ('resolved', 'ignored') AND NOT retain"
            " AND submitted_at < %s ORDER BY submitted_at, id",
            [dry["results"]["cutoff"]],
        )
        ids = [row[0] for row in cursor.fetchall()]
    real = run("purge")
    assert (real["results"]["deleted"], real["results"]["skipped"]) == (8900, 1100) == (len(ids), 10_000 - len(ids))
    digest = ""
    for report_id in ids:
        digest = hashlib.sha256(f"{digest}\n{report_id}".encode()).hexdigest()
    receipt = PurgeRun.objects.get()
    assert (receipt.digest, receipt.deleted, receipt.expired) == (digest, 8900, 1000)
    assert BugReport.objects.count() == 1100


def test_zero_days_delete_nothing() -> None:
    assert run("purge", "--days", "0") == {"status": "skipped", "reason": "retention-disabled"}


def _program(*arguments: str) -> subprocess.CompletedProcess[str]:
    address = ENVIRONMENT["DATABASE_URL"].partition("?")
    database = connection.settings_dict["NAME"]
    url = f"{address[0].rpartition('/')[0]}/{database}" + (f"?{address[2]}" if address[2] else "")
    return subprocess.run(
        [sys.executable, "manage.py", "bug_reports", *arguments],
        cwd=PROJECT, env=ENVIRONMENT | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings.test"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_stdout_contains_only_json() -> None:
    report = BugReportFactory()
    listed = _program("--root", "var/bugs", "list")
    assert json.loads(listed.stdout)["reports"][0]["report_id"] == report.report_id
    assert "--root is ignored" in listed.stderr
    unknown = _program("show", "bug_20260101_000000_00000000")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "not found" in unknown.stderr
    for arguments in (("list", "--status", "closed"), ("nonsense",), ("purge", "--days", "x"), ()):
        wrong = _program(*arguments)
        assert (wrong.returncode, wrong.stdout) == (2, "")
