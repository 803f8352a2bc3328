"""Which request the running code belongs to, so that all its log lines can be found together."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
# The id clients give a whole chain of requests; it goes into rows, too.
trace_id: ContextVar[str] = ContextVar("trace_id", default="")
