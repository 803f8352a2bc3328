"""Every answer names its request and its trace; a caller's own ids are kept when they are harmless."""

import logging
import re
import secrets
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from common.request_context import request_id, trace_id

log = logging.getLogger(__name__)

_HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_HARMLESS_TRACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,99}", re.ASCII)


class NameRequest:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-Id", "")
        name = given if _HARMLESS.fullmatch(given) else secrets.token_hex(8)
        given_trace = request.headers.get("X-Trace-Id", "")
        is_harmless = _HARMLESS_TRACE.fullmatch(given_trace)
        trace = given_trace if is_harmless else str(uuid.uuid4())
        tokens = request_id.set(name), trace_id.set(trace)
        try:
            if given_trace and not is_harmless:
                log.info("trace_id.rejected", extra={"length": len(given_trace)})
            response = self.get_response(request)
        finally:
            request_id.reset(tokens[0])
            trace_id.reset(tokens[1])
        response["X-Request-Id"] = name
        response["X-Trace-Id"] = trace
        return response
