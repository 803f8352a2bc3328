"""A purge that is killed at a chosen moment: run as a program of its own, it ends by SIGKILL.

Arguments: a JSON object {database, settings, moment}; a moment is "before 2", "within 2" (its rows deleted, nothing
committed), "after 2" of the batches, or "before files".
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


def main(wish: dict[str, Any]) -> None:
    connection.settings_dict["NAME"] = wish["database"]
    for name, value in wish["settings"].items():
        setattr(settings, name, value)
    delete_batch, chain_digest, delete_pending_files = (
        purging.delete_batch,
        purging.chain_digest,
        purging.delete_pending_files,
    )
    number = 0

    def reach(moment: str) -> None:
        if moment == wish["moment"]:
            os.kill(os.getpid(), signal.SIGKILL)

    def dying_batch(*args: Any) -> int:
        nonlocal number
        number += 1
        reach(f"before {number}")
        count = delete_batch(*args)
        reach(f"after {number}")
        return count

    def dying_digest(*args: Any) -> str:
        reach(f"within {number}")
        return chain_digest(*args)

    def dying_files() -> int:
        reach("before files")
        return delete_pending_files()

    purging.delete_batch, purging.chain_digest, purging.delete_pending_files = (
        dying_batch,
        dying_digest,
        dying_files,
    )
    purging.purge(requested_by="command", now=timezone.now())


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
