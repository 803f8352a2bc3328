"""Iterate over the rows of a run."""

from collections.abc import Iterator
from typing import Any

from jobs.operations import Row
from jobs.run_context import RunContext

_CHUNK_ROWS = 1000


def iter_chunks(context: RunContext, run: Any) -> Iterator[list[Row]]:
    """Yield all selected rows by key in chunks; each chunk is read when it is requested."""
    last: int | None = None
    while rows := context.operation.read(context.operation.select(run, after_pk=last)[:_CHUNK_ROWS]):
        yield rows
        last = rows[-1]["pk"]


def rows_done(run: Any) -> int:
    return run.changed_rows + run.skipped_rows + run.failed_rows
