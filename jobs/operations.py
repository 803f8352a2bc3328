"""The interface between the machinery of runs and the work of one kind of run."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

Row = Mapping[str, Any]


class Change(NamedTuple):
    """New values of one row, by field."""

    pk: int
    values: dict[str, Any]


@dataclass
class Evaluation:
    """Result for some rows: changes to write, counted reasons of skipped rows, and (pk, reason) of failed rows."""

    changes: list[Change] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    errors: list[tuple[int, str]] = field(default_factory=list)


class Operation(Protocol):
    """Selection, evaluation, write and undo of one run. Rows are processed in the order of their keys.

    `run` may be an instance of a historical model: only its columns may be used. `write` and `undo` are called inside
    the transaction of a batch and fill the ledger; `write` returns the reasons of rejected rows by key.
    """

    max_changes_per_row: int

    def version_error(self, run: Any) -> str:
        """Return why the run must not continue with today's code; "" if it may."""
        ...

    def wait_reason(self) -> str:
        """Return why the run is not over although it has no row left; "" if it is over or has rows left."""
        ...

    def select(self, run: Any, *, after_pk: int | None = None) -> Any:
        """Return the queryset of rows still to process, ordered by key, from behind `after_pk`."""
        ...

    def read(self, rows: Any) -> list[Row]: ...

    def evaluate(self, run: Any, rows: Sequence[Row]) -> Evaluation: ...

    def write(self, changes: Sequence[Change], *, by: str, now: datetime) -> dict[int, str]: ...

    def undo(self, *, after_pk: int, to_pk: int, by: str, now: datetime) -> Counter[str]:
        """Undo rows in (after_pk, to_pk] and return the number of values restored, in conflict and gone."""
        ...

    def preview_undo(self) -> Counter[str]:
        """Return what `undo` would return for all rows. Writes nothing."""
        ...

    def row_label(self, row: Row) -> str: ...

    def plan_digest(self, run: Any, *, now: datetime, on_progress: Callable[[int], None]) -> str:
        """Return the hash of rows, values and reasons as they are now."""
        ...
