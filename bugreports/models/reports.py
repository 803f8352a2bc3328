"""Reports with their context, screenshot, audit events and group."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from bugreports.errors import TransitionNotAllowed
from bugreports.querysets import BugReportQuerySet
from bugreports.statuses import (
    CLOSED,
    DUPLICATE,
    OPEN,
    PRIORITIES,
    RESOLUTION_KINDS,
    STATUSES,
    can_transition,
    transition_error,
)


def _choices(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(value, value.replace("_", " ").capitalize()) for value in values]


class BugReportGroup(models.Model):
    """All reports with one fingerprint. Staff work on `canonical_report`. A group outlives its reports."""

    fingerprint = models.CharField(max_length=40, unique=True)
    canonical_report = models.ForeignKey(
        "BugReport", null=True, on_delete=models.SET_NULL, related_name="canonical_for_groups"
    )
    seen_count = models.PositiveIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.fingerprint


class BugReport(models.Model):
    """A bug report with its triage.

    A report of a known problem, and a report that staff mark as duplicate, are closed. Their `duplicate_of` is the
    canonical report, which is never a duplicate itself.
    """

    report_id = models.CharField(max_length=100, unique=True)
    trace_id = models.CharField(max_length=100, null=True, blank=True, db_index=True)
    submitted_by = models.CharField(max_length=254, null=True, blank=True)
    submitted_at = models.DateTimeField()
    description = models.TextField()
    expected_behavior = models.TextField(null=True, blank=True)
    actual_behavior = models.TextField(null=True, blank=True)
    steps_to_reproduce: Any = models.JSONField(default=list, blank=True)
    app_version = models.CharField(max_length=100, blank=True)
    route = models.CharField(max_length=300, blank=True)
    has_recent_logs = models.BooleanField(default=False)
    has_network_events = models.BooleanField(default=False)
    screenshot_error = models.CharField(max_length=500, null=True, blank=True)
    redaction_count = models.PositiveIntegerField(default=0)
    content_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    idempotency_sha256 = models.CharField(max_length=64, null=True, editable=False)

    status = models.CharField(max_length=12, choices=_choices(STATUSES), default=OPEN)
    priority = models.CharField(max_length=10, choices=_choices(PRIORITIES), null=True, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="assigned_bug_reports"
    )
    resolution_kind = models.CharField(max_length=20, choices=_choices(RESOLUTION_KINDS), null=True, blank=True)
    resolution_notes = models.TextField(null=True, blank=True)
    resolution_commit_sha = models.CharField(max_length=64, null=True, blank=True)
    resolution_actor_id = models.CharField(max_length=254, null=True, blank=True)
    duplicate_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="duplicates"
    )
    triaged_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    regressed_at = models.DateTimeField(null=True, blank=True)
    automation_attempts = models.PositiveIntegerField(default=0)

    group = models.ForeignKey(BugReportGroup, null=True, on_delete=models.PROTECT, related_name="reports")
    fingerprint = models.CharField(max_length=40, null=True, blank=True, db_index=True)
    occurrence_count = models.PositiveIntegerField(default=1)
    last_seen_at = models.DateTimeField()

    retain = models.BooleanField(default=False)
    retain_reason = models.CharField(max_length=500, blank=True)
    retained_by = models.CharField(max_length=254, null=True, blank=True)
    context_expired_at = models.DateTimeField(null=True, blank=True)

    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = BugReportQuerySet.as_manager()

    class Meta:
        verbose_name = "bug report"
        ordering = ["-submitted_at", "-pk"]
        indexes = [
            models.Index(F("submitted_at").desc(), F("id").desc(), name="bugreports_newest"),
            models.Index(F("last_seen_at").desc(), F("id").desc(), name="bugreports_last_seen"),
            models.Index(fields=["status", "-submitted_at"], name="bugreports_status_newest"),
            models.Index(fields=["assignee", "status"], name="bugreports_assignee"),
            models.Index(
                fields=["-last_seen_at"], name="bugreports_untriaged", condition=Q(status=OPEN, triaged_at=None)
            ),
            models.Index(
                fields=["-last_seen_at"], name="bugreports_regressed",
                condition=Q(status__in=["open", "in_progress"], regressed_at__isnull=False),
            ),
            models.Index(
                fields=["submitted_at"], name="bugreports_context_due",
                condition=Q(status__in=["open", "in_progress"], retain=False, context_expired_at=None),
            ),
            models.Index(
                fields=["submitted_at"], name="bugreports_expired_active",
                condition=Q(status__in=["open", "in_progress"], context_expired_at__isnull=False),
            ),
            models.Index(fields=["submitted_by", "-submitted_at"], name="bugreports_submitter"),
            # On the upper-case text, because `icontains` compares with UPPER.
            GinIndex(OpClass(Upper("description"), name="gin_trgm_ops"), name="bugreports_description"),
        ]  # fmt: skip
        constraints = [
            models.CheckConstraint(condition=Q(status__in=STATUSES), name="bugreports_status_known"),
            models.CheckConstraint(
                condition=Q(priority=None) | Q(priority__in=PRIORITIES), name="bugreports_priority_known"
            ),
            models.CheckConstraint(
                condition=Q(resolution_kind=None) | Q(resolution_kind__in=RESOLUTION_KINDS, status__in=CLOSED),
                name="bugreports_kind_known_and_closed",
            ),
            models.CheckConstraint(
                condition=Q(status__in=CLOSED, resolved_at__isnull=False)
                | Q(status__in=["open", "in_progress"], resolved_at=None),
                name="bugreports_closed_has_moment",
            ),
            models.CheckConstraint(
                condition=Q(duplicate_of=None) | Q(resolution_kind=DUPLICATE), name="bugreports_duplicate_has_kind"
            ),
            models.CheckConstraint(
                condition=Q(duplicate_of=None) | ~Q(duplicate_of=F("id")), name="bugreports_no_duplicate_of_itself"
            ),
            models.CheckConstraint(
                condition=Q(retain=False) | ~Q(retain_reason=""), name="bugreports_held_for_a_reason"
            ),
            models.UniqueConstraint(
                fields=["submitted_by", "idempotency_sha256"], name="bugreports_idempotency_key_once"
            ),
        ]
        permissions = [
            ("triage_bugreport", "Can judge, assign, merge and close bug reports"),
            ("purge_bugreport", "Can delete and purge bug reports"),
        ]

    def __str__(self) -> str:
        return self.report_id

    @property
    def is_closed(self) -> bool:
        return self.status in CLOSED

    @property
    def first_line(self) -> str:
        return next((line.strip() for line in self.description.splitlines() if line.strip()), "")[:200]

    def purge_after(self, retention_days: int) -> datetime | None:
        """Return when the report, or its personal context, is deleted; None if never."""
        return None if self.retain or retention_days <= 0 else self.submitted_at + timedelta(days=retention_days)

    def transition_to(self, status: str, now: datetime, *, kind: str | None = None) -> None:
        """Set the status and the fields that depend on it, without saving. Raises TransitionNotAllowed."""
        if not can_transition(self.status, status):
            raise TransitionNotAllowed(transition_error(self.status, status), **{"from": self.status, "to": status})
        if status in CLOSED:
            self.resolved_at = self.resolved_at or now
            self.resolution_kind = kind or self.resolution_kind
            self.regressed_at = None
            if self.resolution_kind != DUPLICATE:
                self.duplicate_of = None
        else:
            self.resolved_at = self.resolution_kind = self.duplicate_of = None
        self.status = status
        self.triaged_at = self.triaged_at or now

    def save_new_version(self, now: datetime) -> None:
        """Save with an incremented version."""
        self.version += 1
        self.updated_at = now
        self.save()


class BugReportContext(models.Model):
    """Redacted context of a report, in its own table because lists omit it and the purge deletes it."""

    report = models.OneToOneField(BugReport, on_delete=models.CASCADE, primary_key=True, related_name="context")
    environment: Any = models.JSONField(default=dict)
    client_meta: Any = models.JSONField(default=dict)
    app_state: Any = models.JSONField(default=dict)
    recent_logs: Any = models.JSONField(default=list)
    network_events: Any = models.JSONField(default=list)
    redactions: Any = models.JSONField(default=list, help_text="Where something was taken out, by which rule.")
    dropped: Any = models.JSONField(default=dict, help_text="What was left out for its size, by section.")

    def __str__(self) -> str:
        return f"context of {self.report_id}"


class BugReportScreenshot(models.Model):
    """The re-encoded screenshot. The submitted file is not stored."""

    report = models.OneToOneField(BugReport, on_delete=models.CASCADE, primary_key=True, related_name="screenshot")
    key = models.CharField(max_length=200, unique=True)
    content_type = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveIntegerField()
    width_px = models.PositiveIntegerField()
    height_px = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.key


class BugReportEvent(models.Model):
    """One audit event of a report. Only the purge changes it: it removes the submitter's name."""

    class ActorType(models.TextChoices):
        USER = "user", "Person"
        AGENT = "agent", "Automation"
        SYSTEM = "system", "Registry"

    report = models.ForeignKey(BugReport, on_delete=models.CASCADE, related_name="events")
    event_type = models.CharField(max_length=40)
    event_data: Any = models.JSONField(default=dict)
    actor_id = models.CharField(max_length=254, null=True, blank=True)
    actor_type = models.CharField(max_length=10, choices=ActorType)
    happened_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(actor_type__in=["user", "agent", "system"]), name="bugreports_event_actor_known"
            )
        ]

    def __str__(self) -> str:
        return self.event_type
