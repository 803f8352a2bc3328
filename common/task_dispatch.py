"""Messages to workers about rows that are written already."""

import logging
from typing import Any

from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def dispatch_best_effort(task: Any, row_pk: int) -> None:
    """A queue that is down costs nobody their request: the clock finds the row and sends its key later."""
    try:
        task.delay(row_pk)
    except OperationalError:
        log.warning(
            "queue does not answer; the sweeper will send", extra={"task": task.name, "row": row_pk}, exc_info=True
        )
