"""Format log records as one line each, with the values of `extra`. No value can break a line."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from common.request_context import request_id, trace_id
from common.timestamps import format_timestamp

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request", "data"}


def extra_fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the values of `extra` and the ids of the current request."""
    fields = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    for name, value in (("request_id", request_id.get()), ("trace_id", trace_id.get())):
        if value:
            fields.setdefault(name, value)
    return fields


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": format_timestamp(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **extra_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class ConsoleFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{key}={json.dumps(value, default=str)}" for key, value in extra_fields(record).items())
        # Escaped, because a newline or a terminal code in user input could forge a line.
        message = record.getMessage().encode("unicode_escape").decode("ascii")
        line = f"{record.levelname.lower():7} {record.name}: {message} {fields}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
