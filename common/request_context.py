"""Which request the running code belongs to, so that all its log lines can be found together."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
