"""Bug reports as rows, with what belongs to them, purges and notices."""

from datetime import UTC, datetime
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from bugreports.models import BugReport, BugReportContext, BugReportEvent, PurgeRun
from bugreports.report_ids import generate_report_id
from notifications.models import Notification

DAY_ONE = datetime(2025, 6, 1, 12, tzinfo=UTC)


class BugReportFactory(DjangoModelFactory):
    """Open, judged by nobody, with a context and the entry of its arrival; `status` brings what goes with it."""

    class Meta:
        model = BugReport
        skip_postgeneration_save = True

    submitted_at = factory.LazyFunction(timezone.now)
    report_id = factory.LazyAttribute(lambda row: generate_report_id("", row.submitted_at))
    trace_id = factory.Sequence(lambda number: f"trace-{number:08}")
    submitted_by = "lia@studio.example"
    description = factory.Sequence(lambda number: f"The shelf of worlds stays empty, case {number}")
    last_seen_at = factory.SelfAttribute("submitted_at")
    created_at = factory.SelfAttribute("submitted_at")
    updated_at = factory.SelfAttribute("submitted_at")
    resolved_at = factory.LazyAttribute(lambda row: row.submitted_at if row.status in ("resolved", "ignored") else None)
    status = "open"
    has_recent_logs = True

    @factory.post_generation
    def with_parts(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        if extracted is False:
            return
        log = {"level": "error", "message": "it broke", "timestamp": "2026-02-12T13:05:07Z", "serializedArgs": []}
        BugReportContext.objects.create(
            report=self, environment={"mode": "production"}, client_meta={"locationHref": "https://studio.example/"},
            recent_logs=[log],
        )  # fmt: skip
        BugReportEvent.objects.create(
            report=self, event_type="submitted", event_data={"source": "api"}, actor_id=self.submitted_by,
            actor_type="user", happened_at=self.submitted_at,
        )  # fmt: skip


class PurgeRunFactory(DjangoModelFactory):
    class Meta:
        model = PurgeRun

    started_at = DAY_ONE
    finished_at = DAY_ONE
    status = PurgeRun.Status.DONE
    requested_by = "schedule"
    cutoff = DAY_ONE


class NotificationFactory(DjangoModelFactory):
    class Meta:
        model = Notification

    kind = "webhook"
    key = factory.Sequence(lambda number: f"submitted:{number}")
    body = factory.LazyFunction(lambda: {"event": "bug_report.submitted"})
    written_at = DAY_ONE
    next_attempt_at = DAY_ONE
