"""Parse multipart bodies: limit each file while it is received, and reject a body that ends too early."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.utils.http import parse_header_parameters
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from common.errors import PayloadTooLarge


class _FileLimit(FileUploadHandler):
    """Stop storing a file that exceeds the limit.

    The rest of the body is read and dropped: if the server closed the connection, the client would not get the error.
    """

    too_large_field: str | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.byte_count = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.byte_count += len(raw_data)
        if self.byte_count > settings.ASSETS_MAX_FILE_BYTES:
            self.too_large_field = self.field_name
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


class _TailRecordingStream:
    """A stream that records its last bytes."""

    def __init__(self, stream: Any, tail_bytes: int) -> None:
        self.stream = stream
        self.tail_bytes = tail_bytes
        self.tail = b""

    def read(self, *size: int) -> bytes:
        chunk: bytes = self.stream.read(*size)
        self.tail = (self.tail + chunk)[-self.tail_bytes :]
        return chunk


class MultiPartParser(parsers.MultiPartParser):
    """Raise PayloadTooLarge naming the part with a too large file, and ParseError for an incomplete body."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> parsers.DataAndFiles:
        request = parser_context["request"]
        limit = _FileLimit(request)
        request.upload_handlers.insert(0, limit)
        # Django accepts an incomplete body as complete: half a file would be registered.
        recorded = _TailRecordingStream(stream, tail_bytes=1024)
        parsed = super().parse(recorded, media_type, parser_context)
        if limit.too_large_field is not None:
            field = limit.too_large_field[:100]
            raise PayloadTooLarge(
                f"File Too Large: {field} ends at {settings.ASSETS_MAX_FILE_BYTES} bytes", field=field
            )
        boundary = parse_header_parameters(media_type or "")[1].get("boundary", "")
        if f"--{boundary}--".encode() not in recorded.tail:
            raise ParseError("Malformed request body: the multipart form ends too early")
        return parsed
