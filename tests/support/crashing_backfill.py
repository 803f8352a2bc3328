"""Workers that are killed, each a little later than the one before: before its n-th statement, before or after a
commit. Run as a program of its own.

Arguments: a JSON object {database, run_pk, most}. Prints how many died, and how the last one ended.
"""

import json
import os
import signal
import sys
from datetime import datetime, timedelta
from typing import Any

import django

django.setup()

from django.apps import apps  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from assets.backfill_rules import CREATOR_DESCRIPTION_RULE  # noqa: E402
from backfills.engine.run_context import context_for_rule  # noqa: E402
from backfills.engine.runner import acquire_lease, run_batches  # noqa: E402


class Doom:
    """Counts moments down, then ends the process as a power cut would."""

    def __init__(self, moments: int) -> None:
        self.left = moments

    def pass_moment(self) -> None:
        self.left -= 1
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around_statement(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.pass_moment()
        return execute(sql, params, many, context)

    def install(self) -> None:
        commit = connection._commit

        def dying_commit() -> None:
            self.pass_moment()
            commit()
            self.pass_moment()

        connection._commit = dying_commit
        connection.execute_wrappers.append(self.around_statement)


def work(run_pk: int, moments: int) -> None:
    """One worker's life. Each begins ten minutes after the one before, when that one's hold has run out."""
    job = context_for_rule(CREATOR_DESCRIPTION_RULE, run_pk, apps)

    def clock() -> datetime:
        return timezone.now() + timedelta(minutes=10 * moments)

    Doom(moments).install()
    mark = acquire_lease(job, now=clock())
    if mark:
        run_batches(job, mark, clock=clock, throttle_reason=lambda: "")


def main(wish: dict[str, Any]) -> None:
    connection.settings_dict["NAME"] = wish["database"]
    died = 0
    for moments in range(1, wish["most"]):
        child = os.fork()
        if child == 0:
            work(wish["run_pk"], moments)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            break
        died += 1
    sys.stdout.write(json.dumps({"died": died, "exit": os.waitstatus_to_exitcode(status)}) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
