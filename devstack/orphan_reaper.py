"""Kill the process groups that a killed supervisor leaves. `devstack.supervisor` runs this file as a program.

Standard input has one process group per line, or a negative one that has ended. It ends when the supervisor dies.
"""

import contextlib
import os
import signal
import sys
import time

GRACE_SECONDS = 2


def main() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line)
        # The kernel may give the number of an ended group to another program.
        groups.add(group) if group > 0 else groups.discard(-group)
    for number, pause_seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 0)):
        for group in groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, number)
        time.sleep(pause_seconds)


if __name__ == "__main__":
    main()
