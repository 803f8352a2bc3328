"""Abstract models of a run, its events, batches, ledger and errors. Concrete tables belong to the app of the run."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from common.reasons import MAX_REASON_LENGTH
from jobs.querysets import ChangeQuerySet, RowErrorQuerySet, RunQuerySet
from jobs.selection import rows_done
from jobs.states import PLANNED, PLANNING, STARTING, STATES

MIN_BATCH_SIZE, MAX_BATCH_SIZE = 1, 5000
MAX_SLEEP_RATIO = 20


class AbstractRun(models.Model):
    """One execution, from its plan to its undo. States and transitions: `jobs.states`.

    `cursor_pk` is the last processed row, `undo_cursor_pk` the last undone row, `max_pk` the last row at the start.
    `lease_token` is the worker's proof of its lease until `lease_expires_at`; each batch renews the lease.
    """

    table_name = models.CharField(max_length=63)
    fields = ArrayField(models.CharField(max_length=63))
    state = models.CharField(max_length=10, choices=[(state, state) for state in STATES], default=PLANNED)
    state_changed_at = models.DateTimeField()
    reason = models.CharField(max_length=MAX_REASON_LENGTH, blank=True)
    requested_by = models.CharField(max_length=254)

    plan = models.JSONField(null=True, blank=True)
    plan_hash = models.CharField(max_length=64, blank=True)
    planned_at = models.DateTimeField(null=True, blank=True)
    checked_rows = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Rows that a worker has checked for the plan or the start."
    )
    start_requested_at = models.DateTimeField(null=True, blank=True)
    start_requested_by = models.CharField(max_length=254, blank=True, db_default="")

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
        default=100, validators=[MinValueValidator(MIN_BATCH_SIZE), MaxValueValidator(MAX_BATCH_SIZE)],
        help_text="Rows per batch.",
    )  # fmt: skip
    sleep_ratio = models.FloatField(
        default=0, validators=[MinValueValidator(0), MaxValueValidator(MAX_SLEEP_RATIO)],
        help_text="Pause after each batch, as a multiple of the batch's duration.",
    )  # fmt: skip
    baseline_p95_ms = models.FloatField(
        null=True, blank=True, help_text="p95 of API reads in the five minutes before the start, in milliseconds."
    )
    wait_reason = models.CharField(max_length=300, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def phase(self) -> str:
        """The state; "planning" or "starting" while a worker checks the rows of a planned run."""
        if self.state == PLANNED and self.start_requested_at:
            return STARTING
        return PLANNING if self.state == PLANNED and not self.planned_at and not self.error else self.state

    @property
    def rows_done(self) -> int:
        return rows_done(self)


class AbstractRunEvent(models.Model):
    """An event of a run: a transition, progress, or an action of a user. Concrete models add `run`."""

    event_type = models.CharField(max_length=20)
    actor = models.CharField(max_length=254, blank=True)
    message = models.CharField(max_length=500)
    created_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.message


class AbstractColumnLock(models.Model):
    """A column is written by one run at a time. Concrete models add `run` and a unique constraint."""

    table_name = models.CharField(max_length=63)
    field = models.CharField(max_length=63)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.table_name}.{self.field}"


class AbstractBatch(models.Model):
    """Rows processed in one transaction, together with the ledger and the cursor. Concrete models add `run`."""

    number = models.PositiveIntegerField()
    is_undo = models.BooleanField(default=False)
    first_pk = models.BigIntegerField()
    last_pk = models.BigIntegerField()
    size = models.PositiveIntegerField()
    attempts = models.PositiveSmallIntegerField(default=1)
    changed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    duration_ms = models.FloatField()
    finished_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"batch {self.number}"


class AbstractChange(models.Model):
    """One written value: before and after as JSON; null is SQL NULL. Concrete models add `run`.

    `outcome` is the result of the undo: empty before it, then restored, conflict (the value has changed since) or gone
    (the row was deleted).
    """

    row_pk = models.BigIntegerField()
    field = models.CharField(max_length=63)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    outcome = models.CharField(max_length=10, blank=True, db_default="")

    objects = ChangeQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.field} of {self.row_pk}"


class AbstractRowError(models.Model):
    """A row that the run could not process, with the reason. The run continues. Concrete models add `run`."""

    row_pk = models.BigIntegerField()
    label = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=500)
    attempts = models.PositiveSmallIntegerField(default=1)
    failed_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=200, blank=True)

    objects = RowErrorQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label or str(self.row_pk)


class AbstractGlobalPause(models.Model):
    """While its only row exists, no run of its kind continues. Concrete models add the constraint on `id`."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    reason = models.CharField(max_length=MAX_REASON_LENGTH)
    paused_by = models.CharField(max_length=254)
    paused_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.reason
