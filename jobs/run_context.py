"""A run together with its models and its operation. Data migrations pass historical models."""

from dataclasses import dataclass
from typing import Any

from jobs.operations import Operation


@dataclass(frozen=True)
class RunModels:
    """The concrete models of one kind of run. `name_field` is the column of `run` that names its operation."""

    run: Any
    batch: Any
    change: Any
    row_error: Any
    column_lock: Any
    event: Any
    global_pause: Any
    name_field: str


@dataclass(frozen=True)
class RunContext:
    run_pk: int
    models: RunModels
    operation: Operation
