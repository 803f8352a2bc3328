"""JSON request bodies by orjson, which rejects NaN, deep nesting and lone surrogates."""

from typing import Any

import orjson
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from common.errors import PayloadTooLarge


class JsonParser(BaseParser):
    media_type = "application/json"
    max_bytes_setting = "API_MAX_JSON_BYTES"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Parse JSON; an empty body is an empty object. Raises ParseError or PayloadTooLarge."""
        max_bytes = getattr(settings, self.max_bytes_setting)
        body = stream.read(max_bytes + 1)
        if len(body) > max_bytes:
            raise PayloadTooLarge(f"Payload Too Large: JSON bodies end at {max_bytes} bytes", field="body")
        if not body.strip():
            return {}
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"body is not valid JSON: {error}") from error
