"""Ends what a killed supervisor leaves behind. A program of its own, run by `devstack.supervisor`.

Its input names process groups, one number a line, and ends when the supervisor dies, however that happens.
"""

import contextlib
import os
import signal
import sys
import time

GRACE_SECONDS = 2


def main() -> None:
    groups = [int(line) for line in sys.stdin]
    for number, pause_seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 0)):
        for group in groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, number)
        time.sleep(pause_seconds)


if __name__ == "__main__":
    main()
