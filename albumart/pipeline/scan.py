"""Scan image bytes for malware by ClamAV (clamd, command INSTREAM).

The request is `zINSTREAM`, then chunks that each follow their length in four bytes, then a length of zero. The response
is one line that ends with a zero byte (manual page of clamd).
"""

import struct
from contextlib import closing, suppress
from typing import Any

from django.conf import settings

from albumart.errors import ArtworkInfected, Deferred, ScannerError
from outbound import RemoteUnavailable, open_service_connection

CLEAN, NOT_SCANNED = "clean", "not scanned: no scanner is set up"
_CHUNK_BYTES = 64 * 1024
_MAX_RESPONSE_BYTES = 4096
_UNAVAILABLE_RETRY_SECONDS = 60.0


def scan_image(content: bytes) -> str:
    """Return `CLEAN`, or `NOT_SCANNED` if no scanner is configured.

    Raises ArtworkInfected; Deferred if the scanner is unreachable, which is independent of the file; ScannerError for
    any other response, or none.
    """
    if not settings.ALBUMART_CLAMD_URL:
        return NOT_SCANNED
    try:
        connection = open_service_connection(
            settings.ALBUMART_CLAMD_URL, timeout_seconds=settings.ALBUMART_CLAMD_TIMEOUT_SECONDS
        )
    except RemoteUnavailable as error:
        raise Deferred("The virus scanner is unreachable", seconds=_UNAVAILABLE_RETRY_SECONDS) from error
    try:
        with closing(connection):
            response = _send(connection, content)
    except OSError as error:  # the file may be the cause, so the attempt counts
        raise ScannerError("The virus scanner closed the connection") from error
    if response == "stream: OK":
        return CLEAN
    if response.endswith(" FOUND"):
        name = response.removeprefix("stream: ").removesuffix(" FOUND")
        raise ArtworkInfected(f"The virus scanner found {name[:200]}")
    raise ScannerError(f"The virus scanner reported an error: {response[:200] or 'empty response'}")


def _send(connection: Any, content: bytes) -> str:
    """Return the response; "" if the scanner closes the connection without one. Raises OSError."""
    with suppress(BrokenPipeError):  # the scanner stops reading above its limit, and says so in its response
        connection.sendall(b"zINSTREAM\0")
        for start in range(0, len(content), _CHUNK_BYTES):
            chunk = content[start : start + _CHUNK_BYTES]
            connection.sendall(struct.pack("!I", len(chunk)) + chunk)
        connection.sendall(struct.pack("!I", 0))
    response = b""
    while not response.endswith(b"\0") and len(response) < _MAX_RESPONSE_BYTES:
        received = connection.recv(_MAX_RESPONSE_BYTES)
        if not received:
            break
        response += received
    return response.rstrip(b"\0").decode("utf-8", "replace").strip()
