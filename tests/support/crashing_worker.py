"""A worker that kills itself at a chosen point of processing an artwork. Runs as a separate program.

The argument is a JSON object {database, settings, artwork_pk, point}. A point is "before fetch", "within fetch",
"after fetch", the same for each other step, "before record" or "after record".
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


def main(spec: dict[str, Any]) -> None:
    connection.settings_dict["NAME"] = spec["database"]
    for name, value in spec["settings"].items():
        setattr(settings, name, value)
    record_step, record_stored = process.record_step, process.record_stored

    def reach(point: str) -> None:
        if point == spec["point"]:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def crashing_step(claim: Any, name: str) -> Iterator[Any]:
        reach(f"before {name}")
        with record_step(claim, name) as notes:
            yield notes
            reach(f"within {name}")
        reach(f"after {name}")

    def crashing_record(*args: Any, **kwargs: Any) -> None:
        reach("before record")
        record_stored(*args, **kwargs)
        reach("after record")

    process.record_step, process.record_stored = crashing_step, crashing_record
    process.process_request(spec["artwork_pk"], timezone.now)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
