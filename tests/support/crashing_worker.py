"""A worker that is killed at a chosen moment of a request: run as a program of its own, it ends by SIGKILL.

Arguments: a JSON object {database, settings, artwork_pk, moment}; a moment is "before fetch", "after fetch", ...,
"before record", "after record".
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from albumart.pipeline import process  # noqa: E402


def main(wish: dict[str, Any]) -> None:
    connection.settings_dict["NAME"] = wish["database"]
    for name, value in wish["settings"].items():
        setattr(settings, name, value)
    record_step, record_stored = process.record_step, process.record_stored

    def reach(moment: str) -> None:
        if moment == wish["moment"]:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def dying_step(claim: Any, name: str) -> Iterator[Any]:
        reach(f"before {name}")
        with record_step(claim, name) as notes:
            yield notes
            reach(f"within {name}")
        reach(f"after {name}")

    def dying_record(*args: Any, **kwargs: Any) -> None:
        reach("before record")
        record_stored(*args, **kwargs)
        reach("after record")

    process.record_step, process.record_stored = dying_step, dying_record
    process.process_request(wish["artwork_pk"], timezone.now)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
