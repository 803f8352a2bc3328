"""Public ids: 24 lowercase hex characters, the format of MongoDB ObjectIds, which legacy clients expect.

An id has four bytes of seconds, five random bytes per process and three bytes of a counter. Ids of one process sort by
age. The frontend distinguishes ids from names by this format.
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
    """Return a new id with the Unix time `at_seconds` (default now)."""
    global _process_bytes
    if _process_bytes[0] != os.getpid():  # a forked worker must not repeat the ids of its parent
        _process_bytes = (os.getpid(), secrets.token_bytes(5))
    seconds = int(time.time() if at_seconds is None else at_seconds) & 0xFFFFFFFF
    tail = next(_counter) & 0xFFFFFF
    return (seconds.to_bytes(4, "big") + _process_bytes[1] + tail.to_bytes(3, "big")).hex()


def is_public_id(text: str) -> bool:
    return PUBLIC_ID_PATTERN.fullmatch(text) is not None
