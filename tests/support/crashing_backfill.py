"""Workers that are killed, each one step later than the one before: at its n-th statement, before or after a commit.

Runs as a separate program with one argument, a JSON object {database, run_pk, max_workers}. Prints the number of killed
workers and the exit code of the last one.
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
from jobs.runner import acquire_lease, run_batches  # noqa: E402


class CrashPoint:
    """Kill the process, as a power cut would, at the n-th statement or commit."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def count_step(self) -> None:
        self.left -= 1
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around_statement(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count_step()
        return execute(sql, params, many, context)

    def install(self) -> None:
        commit = connection._commit

        def dying_commit() -> None:
            self.count_step()
            commit()
            self.count_step()

        connection._commit = dying_commit
        connection.execute_wrappers.append(self.around_statement)


def work(run_pk: int, steps: int) -> None:
    """Run one worker. Each starts ten minutes after the one before, when the lease of that one has expired."""
    context = context_for_rule(CREATOR_DESCRIPTION_RULE, run_pk, apps)

    def clock() -> datetime:
        return timezone.now() + timedelta(minutes=10 * steps)

    CrashPoint(steps).install()
    token = acquire_lease(context, now=clock())
    if token:
        run_batches(context, token, clock=clock, throttle_reason=lambda: "")


def main(spec: dict[str, Any]) -> None:
    connection.settings_dict["NAME"] = spec["database"]
    died = 0
    for steps in range(1, spec["max_workers"]):
        child = os.fork()
        if child == 0:
            work(spec["run_pk"], steps)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            break
        died += 1
    sys.stdout.write(json.dumps({"died": died, "exit": os.waitstatus_to_exitcode(status)}) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
