"""Ids that leave the house: 24 lowercase hex characters, as the old clients' database made them.

Four bytes of seconds, five random bytes a process, three bytes of a counter: ids of one process
sort by age, and the frontend tells an id from a name by this very shape.
"""

import itertools
import os
import re
import secrets
import time

PUBLIC_ID_LENGTH = 24
PUBLIC_ID_PATTERN = re.compile(r"[0-9a-f]{24}")

_counter = itertools.count(secrets.randbelow(1 << 23))
_process_bytes: tuple[int, bytes] = (0, b"")


def generate_public_id(at_seconds: float | None = None) -> str:
    """A fresh id; `at_seconds` (Unix time) dates it, now if left out."""
    global _process_bytes
    if _process_bytes[0] != os.getpid():  # a forked worker must not repeat its parent's ids
        _process_bytes = (os.getpid(), secrets.token_bytes(5))
    seconds = int(time.time() if at_seconds is None else at_seconds) & 0xFFFFFFFF
    tail = next(_counter) & 0xFFFFFF
    return (seconds.to_bytes(4, "big") + _process_bytes[1] + tail.to_bytes(3, "big")).hex()


def is_public_id(text: str) -> bool:
    return PUBLIC_ID_PATTERN.fullmatch(text) is not None
