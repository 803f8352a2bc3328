"""JSON in and out by orjson: fast, and strict where the standard library is lenient (NaN, depth, lone surrogates)."""

from typing import Any

import orjson
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from common.errors import TooLarge


class JsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if data is None:
            return b""
        return orjson.dumps(data, default=str, option=orjson.OPT_NON_STR_KEYS)


class JsonParser(BaseParser):
    media_type = "application/json"
    max_bytes_setting = "API_MAX_JSON_BYTES"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Raises ParseError for bad JSON and TooLarge over its setting's bytes; an empty body is an empty object."""
        max_bytes = getattr(settings, self.max_bytes_setting)
        body = stream.read(max_bytes + 1)
        if len(body) > max_bytes:
            raise TooLarge(f"Payload Too Large: JSON bodies end at {max_bytes} bytes", field="body")
        if not body.strip():
            return {}
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"body is not valid JSON: {error}") from error
