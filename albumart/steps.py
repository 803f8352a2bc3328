"""The record of what happened to a request, step by step. Each step is committed on its own, so it survives a crash."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from albumart.claims import Claim
from albumart.errors import Deferred
from albumart.models import ArtworkStep
from common.errors import InvalidInput, NotFound, RegistryError

_OUTCOMES: tuple[tuple[type[RegistryError], str], ...] = (
    (Deferred, ArtworkStep.Outcome.WAITED),
    (InvalidInput, ArtworkStep.Outcome.REFUSED),
    (NotFound, ArtworkStep.Outcome.ABSENT),
    (RegistryError, ArtworkStep.Outcome.UNAVAILABLE),
)


@dataclass
class StepRecorder:
    """What a step may say of itself beside how it ended."""

    size_bytes: int | None = None
    host: str = ""
    outcome: str = ArtworkStep.Outcome.DONE
    details: dict[str, Any] = field(default_factory=dict)


@contextmanager
def record_step(claim: Claim, name: str) -> Iterator[StepRecorder]:
    """Writes a row when the step begins and its outcome when it ends, also when it ends by one of our errors."""
    row = ArtworkStep.objects.create(artwork_id=claim.artwork_pk, attempt=claim.attempt, name=name)
    notes, started, code, message = StepRecorder(), time.monotonic(), "", ""
    try:
        yield notes
    except RegistryError as error:
        notes.outcome = next(outcome for kind, outcome in _OUTCOMES if isinstance(error, kind))
        code, message = error.code, error.message
        raise
    except BaseException as error:
        notes.outcome, code = ArtworkStep.Outcome.UNAVAILABLE, "internal_error"
        message = f"Unexpected {type(error).__name__}"
        raise
    finally:
        ArtworkStep.objects.filter(pk=row.pk).update(
            duration_ms=round((time.monotonic() - started) * 1000),
            size_bytes=notes.size_bytes,
            host=notes.host,
            outcome=notes.outcome,
            code=code,
            message=message[:500],
            details=notes.details,
        )
