"""What the clock deleted, and files whose rows are gone but that are still to be deleted."""

from django.db import models
from django.db.models import Q


class PurgeRun(models.Model):
    """The receipt of one purge. `digest` chains the ids of the deleted reports in their order, see `retention`."""

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        DIED = "died", "Broke off"  # what it deleted is counted; the next run goes on
        REFUSED = "refused", "Refused"

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
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
    """A stored file that shall go: named here by the transaction that deleted its row, until the storage let it go."""

    key = models.CharField(max_length=200, unique=True)
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key
