"""A purge that kills itself at a chosen point. Runs as a separate program.

The argument is a JSON object {database, settings, point}. A point is "before 2", "within 2" (rows deleted, not
committed) or "after 2" for the second batch, or "before files".
"""

import json
import os
import signal
import sys
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from bugreports import purge as purging  # noqa: E402


def main(spec: dict[str, Any]) -> None:
    connection.settings_dict["NAME"] = spec["database"]
    for name, value in spec["settings"].items():
        setattr(settings, name, value)
    delete_batch, chain_digest, delete_pending_files = (
        purging.delete_batch,
        purging.chain_digest,
        purging.delete_pending_files,
    )
    number = 0

    def reach(point: str) -> None:
        if point == spec["point"]:
            os.kill(os.getpid(), signal.SIGKILL)

    def crashing_batch(*args: Any) -> int:
        nonlocal number
        number += 1
        reach(f"before {number}")
        count = delete_batch(*args)
        reach(f"after {number}")
        return count

    def crashing_digest(*args: Any) -> str:
        reach(f"within {number}")
        return chain_digest(*args)

    def crashing_files() -> int:
        reach("before files")
        return delete_pending_files()

    purging.delete_batch, purging.chain_digest, purging.delete_pending_files = (
        crashing_batch,
        crashing_digest,
        crashing_files,
    )
    purging.purge(requested_by="command", now=timezone.now())


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
