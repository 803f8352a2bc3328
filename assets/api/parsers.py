"""Multipart bodies: bounded file by file while they stream in, and refused when they end too early."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.utils.http import parse_header_parameters
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from common.errors import PayloadTooLarge


class _FileLimit(FileUploadHandler):
    """Stops keeping a file that grows over the limit; what still comes is read and dropped, so that clients get
    their answer instead of a broken connection."""

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
    """A stream that remembers how it ended."""

    def __init__(self, stream: Any, tail_bytes: int) -> None:
        self.stream = stream
        self.tail_bytes = tail_bytes
        self.tail = b""

    def read(self, *size: int) -> bytes:
        chunk: bytes = self.stream.read(*size)
        self.tail = (self.tail + chunk)[-self.tail_bytes :]
        return chunk


class MultiPartParser(parsers.MultiPartParser):
    """Raises PayloadTooLarge naming the part whose file is too large, ParseError for a body without its end."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> parsers.DataAndFiles:
        request = parser_context["request"]
        limit = _FileLimit(request)
        request.upload_handlers.insert(0, limit)
        # The framework takes a body that breaks off for a whole one: half a file would be registered.
        watched = _TailRecordingStream(stream, tail_bytes=1024)
        parsed = super().parse(watched, media_type, parser_context)
        if limit.too_large_field is not None:
            field = limit.too_large_field[:100]
            raise PayloadTooLarge(
                f"File Too Large: {field} ends at {settings.ASSETS_MAX_FILE_BYTES} bytes", field=field
            )
        boundary = parse_header_parameters(media_type or "")[1].get("boundary", "")
        if f"--{boundary}--".encode() not in watched.tail:
            raise ParseError("Malformed request body: the multipart form ends too early")
        return parsed
