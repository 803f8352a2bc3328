"""Responses while the database does not respond: 503 with Retry-After, JSON below `/api`, else a page."""

import logging
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from api.envelopes import error_body

log = logging.getLogger(__name__)

# A lost connection, a time limit, a deadlock: the same request may succeed later.
DATABASE_OUTAGES = (OperationalError, InterfaceError)
OUTAGE_MESSAGE = "The database does not answer; try again"
# A restart of PostgreSQL takes about five seconds. A cached response would outlast it.
OUTAGE_HEADERS = {"Retry-After": "5", "Cache-Control": "no-store"}
_LOST_CONNECTION_CLASSES = ("08", "57P")  # of SQLSTATE

AnyResponse = TypeVar("AnyResponse", bound=HttpResponse)


def is_api_path(request: HttpRequest) -> bool:
    return request.path_info == "/api" or request.path_info.startswith("/api/")


def unavailable_response(request: HttpRequest, error: Exception) -> HttpResponse:
    """Return 503 for one of DATABASE_OUTAGES, and log the request."""
    log_rejection(request, error)
    if is_api_path(request):
        body = error_body(request, status=503, message=OUTAGE_MESSAGE)
        return mark_as_logged(JsonResponse(body, status=503, headers=OUTAGE_HEADERS))
    return mark_as_logged(HttpResponse(render_to_string("api/unavailable.html"), status=503, headers=OUTAGE_HEADERS))


def mark_as_logged(response: AnyResponse) -> AnyResponse:
    """Keep Django from logging the response again, as it does with each 5xx."""
    response._has_been_logged = True
    return response


def log_rejection(request: Any, error: Exception) -> None:
    """Log one line, with a traceback only if the server responded: a deadlock or a slow statement."""
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    is_lost = sqlstate is None or sqlstate.startswith(_LOST_CONNECTION_CLASSES)
    log.warning(
        "database unavailable, request refused",
        extra={"path": request.path, "method": request.method, "error": str(error).strip()[:200]},
        exc_info=None if is_lost else error,
    )
