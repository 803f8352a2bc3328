"""Ids of the current request, for log lines."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
# Clients set one trace id for a chain of requests. It is also stored in rows.
trace_id: ContextVar[str] = ContextVar("trace_id", default="")
