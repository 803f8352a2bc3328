"""Rows and calls for `benchmarks.bug_reports`, which sets Django up before it asks for them."""

import copy
import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from bugreports.intake import submit_report
from bugreports.models import BugReport, BugReportContext, BugReportEvent
from bugreports.redaction.documents import Scrubber
from bugreports.report_ids import generate_report_id
from bugreports.submission import parse_submission

_number = itertools.count()
_WORDS = (
    "The shelf number {} of worlds stays empty\nand more words about it", "Saving album {} shows a red toast",
    "Pictures of star {} load twice", "Search finds {} only in capitals", "Spinner of page {} never stops",
    "Look {} cannot be dragged to the collection", "Export {} has the wrong columns",
)  # fmt: skip
_made: set[str] = set()


def use_database(name: str) -> None:
    """From here on queries go there; made and migrated the first time."""
    connection.close()
    if name not in _made:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
    connection.settings_dict["NAME"] = name
    if name not in _made:
        _made.add(name)
        call_command("migrate", verbosity=0)
        User.objects.create_superuser("bench@example.com")


def intake_ways(document: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    without = document | {"screenshot": None}
    return {
        "whole": lambda: _submit(document),
        "without a screenshot": lambda: _submit(without),
        "same rows, no scrubbing, no screenshot": lambda: _insert(without),
    }


def _submit(document: dict[str, Any]) -> None:
    fresh = copy.copy(document) | {"description": f"The shelf stays empty, {next(_number)}"}
    submit_report(fresh, submitted_by="bench@example.com", trace_id="benchmark-0001", now=timezone.now())


def _insert(document: dict[str, Any]) -> None:
    """Read and checked, then kept as it came: what intake would cost without its care."""
    sent, now = parse_submission(document), timezone.now()
    report = BugReport.objects.create(
        report_id=generate_report_id("benchmark-0001", now), trace_id="benchmark-0001",
        submitted_by="bench@example.com",
        submitted_at=now, last_seen_at=now, created_at=now, updated_at=now, description=sent.description,
    )  # fmt: skip
    BugReportContext.objects.create(
        report=report, environment=sent.environment, client_meta=sent.client_meta, app_state=sent.app_state,
        recent_logs=sent.recent_logs, network_events=sent.network_events,
    )  # fmt: skip
    BugReportEvent.objects.create(
        report=report, event_type="submitted", actor_id="bench@example.com", actor_type="user", happened_at=now
    )


def scrub_once(document: dict[str, Any]) -> None:
    Scrubber().scrub(document, "")


def fill(size: int) -> None:
    """Half of them open and judged by nobody, as after a bad week."""
    now = timezone.now()
    for start in range(0, size, 5000):
        BugReport.objects.bulk_create(
            BugReport(
                report_id=f"bug_20260101_000000_{number:012}", submitted_at=now - timedelta(seconds=20 * number),
                last_seen_at=now - timedelta(seconds=20 * number), created_at=now, updated_at=now,
                description=_WORDS[number % 7].format(number),
                status="open" if number % 2 else "resolved", resolved_at=None if number % 2 else now,
            )
            for number in range(start, min(start + 5000, size))
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def open_page(query: str) -> Callable[[], None]:
    client = Client(headers={"Host": "127.0.0.1"})
    client.force_login(User.objects.get())
    if query == "detail":
        url = reverse("admin:bugreports_bugreport_change", args=[BugReport.objects.order_by("pk")[700].pk])
    else:
        url = reverse("admin:bugreports_bugreport_changelist") + query

    def ask() -> None:
        response = client.get(url)
        assert response.status_code == 200, response.status_code

    return ask
