"""Serve stored media over HTTP if the storage is a local folder: whole files and ranges."""

import mimetypes
import re
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse
from django.utils.http import http_date

_CHUNK_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def serve_media(request: HttpRequest, key: str) -> HttpResponse | StreamingHttpResponse:
    """Respond 200, 206 to one range, 416 to a range outside the file, 404. Several ranges get the whole file."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD", "OPTIONS"])
    try:
        if "\x00" in key or not default_storage.exists(key):
            raise Http404(f"No such file: {key!r}")
        size = default_storage.size(key)
        modified = default_storage.get_modified_time(key)
        content = default_storage.open(key, "rb")
    except (SuspiciousFileOperation, IsADirectoryError, OSError) as error:
        raise Http404("No such file") from error
    start, end = 0, size - 1
    status = 200
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    is_backwards = bool(match and match[1] and match[2] and int(match[2]) < int(match[1]))  # not a valid range: ignored
    if match and (match[1] or match[2]) and not is_backwards:
        first, last = match[1], match[2]
        start = int(first) if first else max(size - int(last), 0)
        end = min(int(last), size - 1) if first and last else size - 1
        if start > end or (not first and int(last) == 0):
            content.close()
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        status = 206
    headers = {
        "Content-Length": str(max(end - start + 1, 0)),
        "Accept-Ranges": "bytes",
        "Last-Modified": http_date(modified.timestamp()),
        "Cache-Control": "public, max-age=31536000, immutable",  # the bytes of a key never change
        # An SVG can contain scripts. Opened as a page, it must not run them or load anything.
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    content_type = mimetypes.guess_type(key)[0] or "application/octet-stream"
    if request.method == "HEAD":
        content.close()
        return HttpResponse(status=status, content_type=content_type, headers=headers)
    return StreamingHttpResponse(
        _read_range(content, start, end), status=status, content_type=content_type, headers=headers
    )


def _read_range(content: Any, start: int, end: int) -> Iterator[bytes]:
    with content:
        content.seek(start)
        left = end - start + 1
        while left > 0:
            chunk = content.read(min(_CHUNK_BYTES, left))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk
