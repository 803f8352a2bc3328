"""What a run did, so exactly that it can be taken back: batches, values before and after, rows it could not do."""

from django.db import models
from django.db.models import Q

from backfills.models.runs import BackfillRun
from backfills.querysets import BackfillBatchQuerySet, BackfillChangeQuerySet, BackfillRowErrorQuerySet


class BackfillColumnLock(models.Model):
    """A column belongs to one run at a time."""

    table_name = models.CharField(max_length=63)
    field = models.CharField(max_length=63)
    run = models.ForeignKey(BackfillRun, on_delete=models.CASCADE, related_name="claims")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table_name", "field"], name="backfills_one_run_a_column")]

    def __str__(self) -> str:
        return f"{self.table_name}.{self.field}"


class BackfillBatch(models.Model):
    """Rows done in one transaction, with the ledger and the run's cursor."""

    run = models.ForeignKey(BackfillRun, on_delete=models.CASCADE, related_name="batches", db_index=False)
    number = models.PositiveIntegerField()
    is_undo = models.BooleanField(default=False)
    first_pk = models.BigIntegerField()
    last_pk = models.BigIntegerField()
    size = models.PositiveIntegerField()
    attempts = models.PositiveSmallIntegerField(default=1)
    changed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    parked = models.PositiveIntegerField(default=0)
    duration_ms = models.FloatField()
    finished_at = models.DateTimeField()

    objects = BackfillBatchQuerySet.as_manager()

    class Meta:
        verbose_name = "batch"
        verbose_name_plural = "batches"
        ordering = ["run", "-number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="backfills_batch_once")]

    def __str__(self) -> str:
        return f"batch {self.number}"


class BackfillChange(models.Model):
    """One value written: what stood there, what the run put there, both as JSON; null is the database's null.

    `outcome` says what the undoing made of it: empty before, then restored, conflict (no longer what the run wrote)
    or gone (the row was deleted).
    """

    run = models.ForeignKey(BackfillRun, on_delete=models.CASCADE, related_name="changes", db_index=False)
    row_pk = models.BigIntegerField()
    field = models.CharField(max_length=63)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    outcome = models.CharField(max_length=10, blank=True, db_default="")

    objects = BackfillChangeQuerySet.as_manager()

    class Meta:
        verbose_name = "change"
        ordering = ["run", "row_pk", "field"]
        constraints = [
            # Also what makes "exactly once" a promise of the database, and the order in which runs are undone.
            models.UniqueConstraint(fields=["run", "row_pk", "field"], name="backfills_change_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=["", "restored", "conflict", "gone"]), name="backfills_outcome_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["run", "outcome", "row_pk"], name="backfills_conflicts",
                condition=Q(outcome__in=["conflict", "gone"]),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.field} of {self.row_pk}"


class BackfillRowError(models.Model):
    """A row that could not be done, and why. The rest of its run went on."""

    run = models.ForeignKey(BackfillRun, on_delete=models.CASCADE, related_name="parked", db_index=False)
    row_pk = models.BigIntegerField()
    label = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=500)
    attempts = models.PositiveSmallIntegerField(default=1)
    failed_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=200, blank=True)

    objects = BackfillRowErrorQuerySet.as_manager()

    class Meta:
        verbose_name = "parked row"
        ordering = ["run", "row_pk"]
        constraints = [models.UniqueConstraint(fields=["run", "row_pk"], name="backfills_parked_once")]

    def __str__(self) -> str:
        return self.label or str(self.row_pk)
