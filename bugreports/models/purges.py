"""Purge runs, and stored files that are still to be deleted."""

from django.db import models
from django.db.models import Q


class PurgeRun(models.Model):
    """The log of one purge. `digest` is the chained hash of the deleted report ids, see `chain_digest`."""

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        INTERRUPTED = "interrupted", "Interrupted"  # its counts are correct; the next run continues
        ABORTED = "aborted", "Aborted"

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.RUNNING)
    requested_by = models.CharField(max_length=254)
    cutoff = models.DateTimeField()
    includes_open = models.BooleanField(default=False)
    matched = models.PositiveIntegerField(default=0)
    deleted = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    expired = models.PositiveIntegerField(default=0, help_text="Active reports that lost their personal context.")
    digest = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = "purge"
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="running") | Q(finished_at__isnull=False), name="bugreports_purge_ended_has_moment"
            )
        ]

    def __str__(self) -> str:
        return f"purge of {self.started_at:%Y-%m-%d %H:%M}"


class PendingFileDeletion(models.Model):
    """A stored file whose row is deleted. This row is removed once the storage has deleted the file."""

    key = models.CharField(max_length=200, unique=True)
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key
