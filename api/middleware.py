"""Middleware of the API: request ids, response times, outages, optional trailing slashes."""

import logging
import re
import secrets
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from api.outages import DATABASE_OUTAGES, unavailable_response
from common.request_context import request_id, trace_id
from common.response_times import record_response_time

log = logging.getLogger(__name__)

_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_SAFE_TRACE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,99}", re.ASCII)

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class RequestIdMiddleware:
    """Set `X-Request-Id` and `X-Trace-Id` on every response; keep the client's ids if they are safe to log."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-Id", "")
        name = given if _SAFE_REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        given_trace = request.headers.get("X-Trace-Id", "")
        is_safe = _SAFE_TRACE_ID.fullmatch(given_trace)
        trace = given_trace if is_safe else str(uuid.uuid4())
        tokens = request_id.set(name), trace_id.set(trace)
        try:
            if given_trace and not is_safe:
                log.info("trace_id.rejected", extra={"length": len(given_trace)})
            response = self.get_response(request)
        finally:
            request_id.reset(tokens[0])
            trace_id.reset(tokens[1])
        response["X-Request-Id"] = name
        response["X-Trace-Id"] = trace
        return response


class ResponseTimeMiddleware:
    """Record the duration of asset reads; backfills are throttled when reads become slower."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "GET" or not request.path.startswith("/api/assets"):
            return self.get_response(request)
        started = time.perf_counter()
        response = self.get_response(request)
        record_response_time((time.perf_counter() - started) * 1000)
        return response


class DatabaseOutageMiddleware:
    """Respond with 503 if a view that REST framework does not serve, e.g. of the admin, finds no database."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        return unavailable_response(request, exception) if isinstance(exception, DATABASE_OUTAGES) else None


class StripTrailingSlashMiddleware:
    """Serve `/api/assets/` as `/api/assets`: a redirect would drop the body and break CORS preflights."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/api/") and request.path_info.endswith("/"):
            request.path_info = request.path_info.rstrip("/")
        return self.get_response(request)
