"""Record the steps of an attempt. Each step is committed on its own, so that it survives a crash."""

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
    """Values that a step adds to its row."""

    size_bytes: int | None = None
    host: str = ""
    outcome: str = ArtworkStep.Outcome.DONE
    details: dict[str, Any] = field(default_factory=dict)


@contextmanager
def record_step(claim: Claim, name: str) -> Iterator[StepRecorder]:
    """Create the row of a step at its start, and complete it with the outcome, also after an error."""
    row = ArtworkStep.objects.create(artwork_id=claim.artwork_pk, attempt=claim.attempt, name=name)
    recorder, started, code, message = StepRecorder(), time.monotonic(), "", ""
    try:
        yield recorder
    except RegistryError as error:
        recorder.outcome = next(outcome for kind, outcome in _OUTCOMES if isinstance(error, kind))
        code, message = error.code, error.message
        raise
    except BaseException as error:
        recorder.outcome, code = ArtworkStep.Outcome.UNAVAILABLE, "internal_error"
        message = f"Unexpected {type(error).__name__}"
        raise
    finally:
        ArtworkStep.objects.filter(pk=row.pk).update(
            duration_ms=round((time.monotonic() - started) * 1000),
            size_bytes=recorder.size_bytes,
            host=recorder.host,
            outcome=recorder.outcome,
            code=code,
            message=message[:500],
            details=recorder.details,
        )
