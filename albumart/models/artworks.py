"""A request for a picture, its bytes on the way, its files, every step; and runs over many requests."""

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from albumart.models.sources import ArtworkSource
from albumart.querysets import ArtworkQuerySet
from assets.models import Asset

MANUAL = "Manual"
_STATUSES = ("waiting", "running", "stored", "refused", "absent", "failed")


class ArtworkRun(models.Model):
    """Requests made together, and the songs that had no picture when they were made: a cohort whose share of pictures
    is followed from then on, however they come."""

    name = models.CharField(max_length=100, unique=True)
    reason = models.CharField(max_length=200, blank=True)
    requested_by = models.CharField(max_length=254)
    requested_at = models.DateTimeField()
    asset_pks = ArrayField(
        models.BigIntegerField(), default=list, help_text="The cohort: songs without a picture when the run began."
    )
    paused_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "run"
        ordering = ["-requested_at", "-pk"]
        permissions = [("steer_artworkrun", "Can start, pause and cancel runs")]

    def __str__(self) -> str:
        return self.name


class Artwork(models.Model):
    """One request for an asset's picture and, in the end, the picture or the reason there is none.

    A worker claims a waiting row by an UPDATE that names the old status and leaves its mark in `claim`; everything it
    writes later names the mark, so that a worker thought dead cannot overwrite who came after it.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        STORED = "stored", "Stored"
        REFUSED = "refused", "Refused"  # will not be retried
        ABSENT = "absent", "Absent"  # the source said that there is none
        FAILED = "failed", "Failed"  # gave up after retries

    class Trigger(models.TextChoices):
        CLIENT = "client", "Registration or edit"
        STAFF = "staff", "Staff"
        AUTOMATION = "automation", "Command or clock"

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="artworks")
    is_current = models.BooleanField(default=False, editable=False)
    source = models.ForeignKey(ArtworkSource, null=True, blank=True, on_delete=models.SET_NULL, related_name="artworks")
    source_url = models.CharField("source address", max_length=2048, blank=True)
    source_host = models.CharField(max_length=253, blank=True, db_index=True)
    source_name = models.CharField("source name", max_length=20, blank=True)
    trigger = models.CharField("asked by", max_length=10, choices=Trigger)
    requested_by = models.CharField(max_length=254)
    requested_at = models.DateTimeField()
    run = models.ForeignKey(ArtworkRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="artworks")

    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.UUIDField(null=True, editable=False)
    claimed_at = models.DateTimeField(null=True, editable=False)
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
    facts = models.JSONField(default=dict, help_text="What was measured; the quality follows from it.")
    dominant_color = models.CharField(max_length=7, blank=True)
    blurhash = models.CharField(max_length=100, blank=True)

    objects = ArtworkQuerySet.as_manager()

    class Meta:
        verbose_name = "picture"
        ordering = ["-requested_at", "-pk"]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="albumart_due", condition=Q(status="waiting")),
            models.Index(fields=["claimed_at"], name="albumart_running", condition=Q(status="running")),
            models.Index(fields=["status", "-requested_at"], name="albumart_status_newest"),
            models.Index(F("requested_at").desc(), F("id").desc(), name="albumart_newest"),
            models.Index(fields=["finished_at"], name="albumart_finished"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["asset"], condition=Q(is_current=True), name="albumart_one_current"),
            models.UniqueConstraint(
                fields=["asset"], condition=Q(status__in=["waiting", "running"]), name="albumart_one_open"
            ),
            models.CheckConstraint(condition=Q(status__in=_STATUSES), name="albumart_status_known"),
            models.CheckConstraint(
                condition=~Q(status="running") | Q(claim__isnull=False, claimed_at__isnull=False),
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
        permissions = [("process_artwork", "Can fetch, upload and re-run pictures")]

    def __str__(self) -> str:
        return f"{self.asset.name} ({self.get_status_display().lower()})"

    @property
    def is_open(self) -> bool:
        return self.status in (self.Status.WAITING, self.Status.RUNNING)

    def end(self, status: str, now: datetime, *, code: str = "", message: str = "") -> None:
        """For rows nobody works on; a worker ends its row under its claim."""
        self.status, self.finished_at, self.wait_reason = status, now, ""
        self.error_code, self.error_message, self.claim = code, message[:500], None
        self.save(update_fields=["status", "finished_at", "wait_reason", "error_code", "error_message", "claim"])

    def requeue(self, now: datetime) -> None:
        """Back to the start of the queue, with all attempts before it."""
        self.status, self.attempts, self.next_attempt_at, self.dispatched_at = self.Status.WAITING, 0, now, now
        self.error_code = self.error_message = self.wait_reason = ""
        self.claim = self.finished_at = None
        self.save(
            update_fields=[
                "status", "attempts", "next_attempt_at", "dispatched_at", "error_code", "error_message", "wait_reason",
                "claim", "finished_at",
            ]
        )  # fmt: skip


class ArtworkContent(models.Model):
    """The bytes of a picture between arriving and being stored: fetched once, or uploaded. Never public."""

    artwork = models.OneToOneField(Artwork, on_delete=models.CASCADE, primary_key=True, related_name="content")
    content = models.BinaryField()
    declared_type = models.CharField(max_length=100, blank=True)
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"bytes of {self.artwork_id}"


class ArtworkFile(models.Model):
    """One stored file of a picture; `name` is its longest side, or "original". Equal bytes share one key."""

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
    """One step of one attempt: when, how long, how many bytes, how it ended."""

    class Outcome(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        SKIPPED = "skipped", "Skipped"
        REFUSED = "refused", "Refused"
        ABSENT = "absent", "Absent"
        UNAVAILABLE = "unavailable", "Unavailable, will be retried"
        WAITED = "waited", "Not its turn"
        DIED = "died", "Worker died"

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
