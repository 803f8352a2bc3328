"""The tables of backfill runs."""

from django.db import models
from django.db.models import Q

from backfills.querysets import BackfillRunQuerySet
from jobs.models import (
    MAX_BATCH_SIZE,
    MAX_SLEEP_RATIO,
    MIN_BATCH_SIZE,
    AbstractBatch,
    AbstractChange,
    AbstractColumnLock,
    AbstractGlobalPause,
    AbstractRowError,
    AbstractRun,
    AbstractRunEvent,
)
from jobs.states import STATES


class BackfillRun(AbstractRun):
    """One execution of a rule."""

    rule_name = models.CharField("rule", max_length=100)
    rule_version = models.PositiveIntegerField()
    parameters = models.JSONField(default=dict, blank=True)

    objects = BackfillRunQuerySet.as_manager()

    class Meta:
        verbose_name = "run"
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["rule_name", "-created_at"], name="backfills_run_of_rule")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=STATES), name="backfills_state_known"),
            models.CheckConstraint(
                condition=Q(batch_size__gte=MIN_BATCH_SIZE, batch_size__lte=MAX_BATCH_SIZE),
                name="backfills_batch_rows_bounded",
            ),
            models.CheckConstraint(
                condition=Q(sleep_ratio__gte=0, sleep_ratio__lte=MAX_SLEEP_RATIO), name="backfills_rest_bounded"
            ),
        ]
        permissions = [
            ("control_backfillrun", "Can plan, start, pause, resume and cancel runs"),
            ("undo_backfillrun", "Can undo, finalise and reopen runs"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_name} #{self.pk}"


class BackfillEvent(AbstractRunEvent):
    run = models.ForeignKey(BackfillRun, on_delete=models.CASCADE, related_name="events")

    class Meta:
        verbose_name = "event"
        ordering = ["pk"]


class BackfillGlobalPause(AbstractGlobalPause):
    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="backfills_one_hold")]


class BackfillColumnLock(AbstractColumnLock):
    run = models.ForeignKey(BackfillRun, on_delete=models.CASCADE, related_name="column_locks")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table_name", "field"], name="backfills_one_run_a_column")]


class BackfillBatch(AbstractBatch):
    run = models.ForeignKey(BackfillRun, on_delete=models.CASCADE, related_name="batches", db_index=False)

    class Meta:
        verbose_name = "batch"
        verbose_name_plural = "batches"
        ordering = ["run", "-number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="backfills_batch_once")]


class BackfillChange(AbstractChange):
    run = models.ForeignKey(BackfillRun, on_delete=models.CASCADE, related_name="changes", db_index=False)

    class Meta:
        verbose_name = "change"
        ordering = ["run", "row_pk", "field"]
        constraints = [
            # Guarantees that a run writes a value once; also the order in which runs are undone.
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


class BackfillRowError(AbstractRowError):
    run = models.ForeignKey(BackfillRun, on_delete=models.CASCADE, related_name="row_errors", db_index=False)

    class Meta:
        verbose_name = "failed row"
        ordering = ["run", "row_pk"]
        constraints = [models.UniqueConstraint(fields=["run", "row_pk"], name="backfills_parked_once")]
