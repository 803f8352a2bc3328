"""A run, what happened to it, and the hold on all of them."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from backfills.engine.selection import rows_done
from backfills.querysets import BackfillRunQuerySet
from backfills.states import PLANNED, STATES

MIN_BATCH_ROWS, MAX_BATCH_ROWS = 1, 5000
MAX_SLEEP_RATIO = 20


class BackfillRun(models.Model):
    """One carrying out of a rule, from its plan to its undoing.

    `cursor_pk` is the last row done, `undo_cursor_pk` the last one undone; `max_pk` the last row there was at the
    start. A worker's hold is its mark in `worker` until `lease_expires_at`; each batch renews it. States and their moves:
    `backfills.states`.
    """

    rule_name = models.CharField("rule", max_length=100)
    rule_version = models.PositiveIntegerField()
    parameters = models.JSONField(default=dict, blank=True)
    table_name = models.CharField(max_length=63)
    fields = ArrayField(models.CharField(max_length=63))
    state = models.CharField(max_length=10, choices=[(state, state) for state in STATES], default=PLANNED)
    state_changed_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    requested_by = models.CharField(max_length=254)

    plan = models.JSONField(null=True, blank=True)
    plan_hash = models.CharField(max_length=64, blank=True)
    planned_at = models.DateTimeField(null=True, blank=True)

    total_rows = models.PositiveBigIntegerField(default=0)
    max_pk = models.BigIntegerField(null=True, blank=True)
    cursor_pk = models.BigIntegerField(null=True, blank=True)
    undo_cursor_pk = models.BigIntegerField(null=True, blank=True)
    batches_done = models.PositiveIntegerField(default=0)
    changed_rows = models.PositiveBigIntegerField(default=0)
    skipped_rows = models.PositiveBigIntegerField(default=0)
    failed_rows = models.PositiveBigIntegerField(default=0)
    restored_rows = models.PositiveBigIntegerField(default=0)
    conflict_rows = models.PositiveBigIntegerField(default=0)

    batch_size = models.PositiveIntegerField(
        "rows in a batch", default=100,
        validators=[MinValueValidator(MIN_BATCH_ROWS), MaxValueValidator(MAX_BATCH_ROWS)],
    )  # fmt: skip
    sleep_ratio = models.FloatField(
        "rest", default=0, validators=[MinValueValidator(0), MaxValueValidator(MAX_SLEEP_RATIO)],
        help_text="Rest after each batch, as a multiple of the time it took.",
    )  # fmt: skip
    baseline_p95_ms = models.FloatField(null=True, blank=True, help_text="Of API reads, shortly before the start.")
    wait_reason = models.CharField(max_length=300, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True)
    worker = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = BackfillRunQuerySet.as_manager()

    class Meta:
        verbose_name = "run"
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["rule_name", "-created_at"], name="backfills_run_of_rule")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=STATES), name="backfills_state_known"),
            models.CheckConstraint(
                condition=Q(batch_size__gte=MIN_BATCH_ROWS, batch_size__lte=MAX_BATCH_ROWS),
                name="backfills_batch_rows_bounded",
            ),
            models.CheckConstraint(
                condition=Q(sleep_ratio__gte=0, sleep_ratio__lte=MAX_SLEEP_RATIO), name="backfills_rest_bounded"
            ),
        ]
        permissions = [
            ("steer_backfillrun", "Can plan, start, pause, resume and cancel runs"),
            ("undo_backfillrun", "Can undo, finalise and reopen runs"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_name} #{self.pk}"

    @property
    def rows_done(self) -> int:
        return rows_done(self)


class BackfillEvent(models.Model):
    """What happened to a run: who asked for what, why it waited, how it ended."""

    run = models.ForeignKey(BackfillRun, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=20)
    actor = models.CharField(max_length=254, blank=True)
    text = models.CharField(max_length=500)
    at = models.DateTimeField()

    class Meta:
        verbose_name = "event"
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text


class BackfillGlobalPause(models.Model):
    """While its one row is there, no run goes on."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    reason = models.CharField(max_length=200)
    held_by = models.CharField(max_length=254)
    held_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="backfills_one_hold")]

    def __str__(self) -> str:
        return self.reason
