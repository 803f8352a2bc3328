"""Send messages to workers about committed rows."""

import logging
from typing import Any

from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def dispatch_best_effort(task: Any, row_pk: int) -> None:
    """Send the key of a row. If the queue is unavailable, a scheduled task sends it later, so the request succeeds."""
    try:
        task.delay(row_pk)
    except OperationalError:
        log.warning(
            "queue unavailable, message left to the schedule", extra={"task": task.name, "row": row_pk}, exc_info=True
        )
