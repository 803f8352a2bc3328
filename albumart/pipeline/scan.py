"""Ask ClamAV (clamd, INSTREAM) about the bytes. Clean, infected and could-not-tell are three answers.

The protocol is `zINSTREAM`, then pieces with a length of four bytes before each, then a length of zero; the answer is
one line that ends with a zero byte (clamd's manual page).
"""

import struct
from contextlib import closing, suppress
from typing import Any

from django.conf import settings

from albumart.errors import ArtworkInfected, Deferred, ScannerError
from outbound import RemoteUnavailable, open_service_connection

CLEAN, NOT_SCANNED = "clean", "not scanned: no scanner is set up"
_PIECE_BYTES = 64 * 1024
_ANSWER_BYTES = 4096
_SCANNER_GONE_SECONDS = 60.0


def scan_image(content: bytes) -> str:
    """`CLEAN`, or `NOT_SCANNED` where no scanner is configured.

    Raises ArtworkInfected; Deferred while no scanner is there, which says nothing about the file; ScannerError for
    an answer that is neither, or none.
    """
    if not settings.ALBUMART_CLAMD_URL:
        return NOT_SCANNED
    try:
        line = open_service_connection(
            settings.ALBUMART_CLAMD_URL, timeout_seconds=settings.ALBUMART_CLAMD_TIMEOUT_SECONDS
        )
    except RemoteUnavailable as error:
        raise Deferred("The virus scanner does not answer", seconds=_SCANNER_GONE_SECONDS) from error
    try:
        with closing(line):
            answer = _ask(line, content)
    except OSError as error:  # it was there: the reason may be this very file, so the attempt counts
        raise ScannerError("The virus scanner broke off") from error
    if answer == "stream: OK":
        return CLEAN
    if answer.endswith(" FOUND"):
        name = answer.removeprefix("stream: ").removesuffix(" FOUND")
        raise ArtworkInfected(f"The virus scanner found {name[:200]}")
    raise ScannerError(f"The virus scanner could not tell: {answer[:200] or 'no answer'}")


def _ask(line: Any, content: bytes) -> str:
    """Its answer; empty when it closes without an answer. Raises OSError."""
    with suppress(BrokenPipeError):  # it stopped listening, for a stream over its limit; its answer says so
        line.sendall(b"zINSTREAM\0")
        for start in range(0, len(content), _PIECE_BYTES):
            piece = content[start : start + _PIECE_BYTES]
            line.sendall(struct.pack("!I", len(piece)) + piece)
        line.sendall(struct.pack("!I", 0))
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < _ANSWER_BYTES:
        received = line.recv(_ANSWER_BYTES)
        if not received:
            break
        answer += received
    return answer.rstrip(b"\0").decode("utf-8", "replace").strip()
