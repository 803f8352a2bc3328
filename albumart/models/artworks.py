"""Requests for artwork with their files and steps, and the cohorts of runs."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from albumart.models.sources import ArtworkSource
from albumart.querysets import ArtworkQuerySet
from assets.models import Asset
from backfills.models import BackfillRun

MANUAL = "Manual"
_STATUSES = ("waiting", "running", "stored", "refused", "absent", "failed")


class ArtworkCohort(models.Model):
    """The songs that had no artwork when a run began. Metrics follow their share of artwork from then on."""

    name = models.CharField(max_length=100, unique=True)
    run = models.OneToOneField(BackfillRun, on_delete=models.CASCADE, related_name="artwork_cohort")

    class Meta:
        verbose_name = "cohort"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name


class ArtworkCohortSong(models.Model):
    """A song of a cohort. The song may be deleted since, so its key is no foreign key."""

    cohort = models.ForeignKey(ArtworkCohort, on_delete=models.CASCADE, related_name="songs", db_index=False)
    asset_pk = models.BigIntegerField()

    class Meta:
        verbose_name = "song of a cohort"
        verbose_name_plural = "songs of a cohort"
        constraints = [models.UniqueConstraint(fields=["cohort", "asset_pk"], name="albumart_cohort_song_once")]

    def __str__(self) -> str:
        return str(self.asset_pk)


class Artwork(models.Model):
    """One request for an asset's artwork, and its outcome: the artwork, or the reason why there is none.

    A worker claims a waiting row and writes its token to `claim`. Each later write of the worker names the token, so
    that a worker whose lease expired cannot overwrite the result of its successor.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Pending"
        RUNNING = "running", "Processing"
        STORED = "stored", "Stored"
        REFUSED = "refused", "Rejected"  # not retried
        ABSENT = "absent", "Not found"  # by the source's response or by staff
        FAILED = "failed", "Failed"  # the retries are used up

    class Trigger(models.TextChoices):
        CLIENT = "client", "Registration or edit"
        STAFF = "staff", "Staff"
        AUTOMATION = "automation", "Run"

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="artworks")
    is_current = models.BooleanField(default=False, editable=False)
    source = models.ForeignKey(ArtworkSource, null=True, blank=True, on_delete=models.SET_NULL, related_name="artworks")
    source_url = models.CharField("source URL", max_length=2048, blank=True)
    source_host = models.CharField(max_length=253, blank=True, db_index=True)
    source_name = models.CharField("source name", max_length=20, blank=True)
    trigger = models.CharField(max_length=10, choices=Trigger)
    requested_by = models.CharField(max_length=254)
    requested_at = models.DateTimeField()
    cohort = models.ForeignKey(
        ArtworkCohort, null=True, blank=True, on_delete=models.SET_NULL, related_name="artworks", verbose_name="run"
    )

    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.UUIDField(null=True, editable=False)
    claimed_at = models.DateTimeField(null=True, editable=False)
    claim_expires_at = models.DateTimeField(null=True, editable=False)
    next_attempt_at = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True, editable=False)
    wait_reason = models.CharField(max_length=300, blank=True)
    finished_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.CharField(max_length=500, blank=True)

    content_type = models.CharField(max_length=40, blank=True)
    size_bytes = models.PositiveIntegerField(null=True)
    width_px = models.PositiveIntegerField(null=True)
    height_px = models.PositiveIntegerField(null=True)
    quality = models.CharField(max_length=10, blank=True)
    quality_rule = models.PositiveSmallIntegerField(null=True)
    measurements = models.JSONField(default=dict, help_text="Measured values; the quality is computed from them.")
    dominant_color = models.CharField(max_length=7, blank=True)
    blurhash = models.CharField(max_length=100, blank=True)

    objects = ArtworkQuerySet.as_manager()

    class Meta:
        verbose_name = "artwork"
        verbose_name_plural = "artwork"
        ordering = ["-requested_at", "-pk"]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="albumart_due", condition=Q(status="waiting")),
            models.Index(fields=["claim_expires_at"], name="albumart_running", condition=Q(status="running")),
            models.Index(fields=["status", "-requested_at"], name="albumart_status_newest"),
            models.Index(F("requested_at").desc(), F("id").desc(), name="albumart_newest"),
            models.Index(fields=["finished_at"], name="albumart_finished"),
            models.Index(
                fields=["error_code", "-requested_at"], name="albumart_error_newest", condition=Q(error_code__gt="")
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["asset"], condition=Q(is_current=True), name="albumart_one_current"),
            models.UniqueConstraint(
                fields=["asset"], condition=Q(status__in=["waiting", "running"]), name="albumart_one_open"
            ),
            models.CheckConstraint(condition=Q(status__in=_STATUSES), name="albumart_status_known"),
            models.CheckConstraint(
                condition=~Q(status="running") | Q(claim__isnull=False, claim_expires_at__isnull=False),
                name="albumart_running_is_claimed",
            ),
            models.CheckConstraint(
                condition=~Q(status="waiting") | Q(next_attempt_at__isnull=False), name="albumart_waiting_has_time"
            ),
            models.CheckConstraint(
                condition=~Q(status="stored") | Q(size_bytes__isnull=False, width_px__isnull=False),
                name="albumart_stored_is_described",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["refused", "absent", "failed"]) | ~Q(error_code=""),
                name="albumart_ended_has_reason",
            ),
        ]
        permissions = [("process_artwork", "Can fetch, upload and retry artwork")]

    def __str__(self) -> str:
        return f"{self.asset.name} ({self.get_status_display().lower()})"

    @property
    def is_open(self) -> bool:
        return self.status in (self.Status.WAITING, self.Status.RUNNING)

    def finish(self, status: str, now: datetime, *, code: str = "", message: str = "") -> None:
        """Finish a request that no worker has claimed. A worker uses `albumart.claims.finish`."""
        self.status, self.finished_at, self.wait_reason = status, now, ""
        self.error_code, self.error_message = code, message[:500]
        self.claim = self.claim_expires_at = None
        self.save(
            update_fields=[
                "status", "finished_at", "wait_reason", "error_code", "error_message", "claim", "claim_expires_at",
            ]
        )  # fmt: skip

    def requeue(self, now: datetime) -> None:
        """Make the request due now, with all attempts left."""
        self.status, self.attempts, self.next_attempt_at, self.dispatched_at = self.Status.WAITING, 0, now, now
        self.error_code = self.error_message = self.wait_reason = ""
        self.claim = self.claim_expires_at = self.finished_at = None
        self.save(
            update_fields=[
                "status", "attempts", "next_attempt_at", "dispatched_at", "error_code", "error_message", "wait_reason",
                "claim", "claim_expires_at", "finished_at",
            ]
        )  # fmt: skip


class ArtworkContent(models.Model):
    """Image bytes that were fetched or uploaded and are not stored yet. Never public."""

    artwork = models.OneToOneField(Artwork, on_delete=models.CASCADE, primary_key=True, related_name="content")
    content = models.BinaryField()
    declared_type = models.CharField(max_length=100, blank=True)
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"bytes of {self.artwork_id}"


class ArtworkFile(models.Model):
    """One stored file; `name` is its longest side in px, or "original". Files with equal bytes have the same key."""

    artwork = models.ForeignKey(Artwork, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=10)
    key = models.CharField(max_length=120)
    content_type = models.CharField(max_length=40)
    size_bytes = models.PositiveIntegerField()
    width_px = models.PositiveIntegerField()
    height_px = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["key"], name="albumart_file_key", opclasses=["text_pattern_ops"])]
        constraints = [models.UniqueConstraint(fields=["artwork", "name"], name="albumart_file_once")]

    def __str__(self) -> str:
        return self.key


class ArtworkStep(models.Model):
    """One step of one attempt, with its duration, size and outcome."""

    class Outcome(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        SKIPPED = "skipped", "Skipped"
        REFUSED = "refused", "Rejected"
        ABSENT = "absent", "Not found"
        UNAVAILABLE = "unavailable", "Unavailable, will be retried"
        WAITED = "waited", "Deferred"
        DIED = "died", "Worker lost"

    artwork = models.ForeignKey(Artwork, on_delete=models.CASCADE, related_name="steps")
    attempt = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=10)
    host = models.CharField(max_length=253, blank=True)
    started_at = models.DateTimeField(db_default=Now())
    duration_ms = models.PositiveIntegerField(null=True)
    size_bytes = models.PositiveIntegerField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.RUNNING)
    code = models.CharField(max_length=40, blank=True)
    message = models.CharField(max_length=500, blank=True)
    details: Any = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["started_at"], name="albumart_step_started")]

    def __str__(self) -> str:
        return f"{self.name}: {self.outcome}"
