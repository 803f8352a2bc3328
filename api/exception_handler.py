"""HTTP responses for errors of all endpoints: JSON below `/api`, never HTML."""

import logging
import sys
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as framework_handler
from rest_framework.views import set_rollback

from api.envelopes import error_body
from api.outages import (
    DATABASE_OUTAGES,
    OUTAGE_HEADERS,
    OUTAGE_MESSAGE,
    is_api_path,
    log_rejection,
    mark_as_logged,
    unavailable_response,
)
from common.errors import (
    Conflict,
    FieldErrorDetail,
    Forbidden,
    InvalidInput,
    NotFound,
    PayloadTooLarge,
    RegistryError,
    Unavailable,
    UnsupportedMediaType,
)

log = logging.getLogger(__name__)

# The first match wins, so subclasses come before their base classes.
STATUS_BY_KIND: tuple[tuple[type[RegistryError], int], ...] = (
    (PayloadTooLarge, 413),
    (UnsupportedMediaType, 415),
    (InvalidInput, 400),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Unavailable, 503),
)


def status_of(error: RegistryError) -> int:
    return next((status for kind, status in STATUS_BY_KIND if isinstance(error, kind)), 400)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """Return the error envelope for an exception of a view. Log the traceback of unexpected exceptions."""
    request = context["request"]
    if isinstance(exc, RegistryError):
        set_rollback()
        status = status_of(exc)
        messages = [field_error.message for field_error in exc.field_errors] or None
        body = error_body(request, status=status, message=exc.message, messages=messages, field_errors=exc.field_errors)
        _log_rejection(request, status, exc.code)
        return Response(body, status=status, headers=OUTAGE_HEADERS if status == 503 else None)
    if isinstance(exc, (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent, MultiPartParserError)):
        set_rollback()
        too_big = isinstance(exc, RequestDataTooBig)
        status, message = (413, "Payload Too Large") if too_big else (400, f"Malformed request body: {exc}")
        _log_rejection(request, status, type(exc).__name__)
        return Response(error_body(request, status=status, message=message), status=status)
    if isinstance(exc, DATABASE_OUTAGES):
        set_rollback()
        log_rejection(request, exc)
        body = error_body(request, status=503, message=OUTAGE_MESSAGE)
        return mark_as_logged(Response(body, status=503, headers=OUTAGE_HEADERS))
    if isinstance(exc, IntegrityError):  # two concurrent requests violated a constraint
        set_rollback()
        log.warning("constraint violated", extra={"path": request.path}, exc_info=exc)
        message = "The request conflicts with a change made at the same moment; try again"
        return Response(error_body(request, status=409, message=message), status=409)
    response = framework_handler(exc, context)
    if response is None:
        set_rollback()
        log.error("request failed", extra={"path": request.path, "method": request.method}, exc_info=exc)
        return Response(error_body(request, status=500, message="Internal server error"), status=500)
    field_errors = tuple(_field_errors(exc.detail)) if isinstance(exc, exceptions.ValidationError) else ()
    messages = [field_error.message for field_error in field_errors] or [_sentence(exc)]
    message = "; ".join(messages)
    _log_rejection(request, response.status_code, type(exc).__name__)
    response.data = error_body(
        request, status=response.status_code, message=message, messages=messages, field_errors=field_errors
    )
    return response


def _log_rejection(request: Any, status: int, reason: str) -> None:
    extra = {"status": status, "reason": reason, "path": request.path, "method": request.method}
    log.info("request rejected", extra=extra)


def _sentence(exc: Exception) -> str:
    if isinstance(exc, Http404):
        return str(exc) or "Not found"
    if isinstance(exc, PermissionDenied):
        return str(exc) or "Forbidden"
    detail = getattr(exc, "detail", exc)
    return str(detail.get("detail", detail)) if isinstance(detail, dict) else str(detail)


def _field_errors(detail: Any, path: str = "") -> Iterator[FieldErrorDetail]:
    """Flatten the nested error detail of REST framework. Each message names its field."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _field_errors(value, path if key == "non_field_errors" else f"{path}.{key}".strip("."))
    elif isinstance(detail, list):
        for value in detail:
            yield from _field_errors(value, path)
    else:
        text = str(detail)
        yield FieldErrorDetail(path or "body", text if not path or path.lower() in text.lower() else f"{path}: {text}")


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    """Return 404 as JSON below `/api`, otherwise the default page."""
    if not is_api_path(request):
        return defaults.page_not_found(request, exception)
    message = f"Cannot {request.method} {request.path}"
    return JsonResponse(error_body(request, status=404, message=message, name="NotFoundException"), status=404)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    if not is_api_path(request):
        return defaults.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return JsonResponse(error_body(request, status=413, message="Payload Too Large"), status=413)
    message = "Bad request" if isinstance(exception, SuspiciousOperation) else str(exception or "Bad request")
    return JsonResponse(error_body(request, status=400, message=message), status=400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    if not is_api_path(request):
        return defaults.permission_denied(request, exception)
    return JsonResponse(error_body(request, status=403, message=str(exception or "Forbidden")), status=403)


def server_error(request: HttpRequest) -> HttpResponseBase:
    error = sys.exc_info()[1]  # Django calls this within its `except`
    if isinstance(error, DATABASE_OUTAGES):  # from another middleware; `DatabaseOutageMiddleware` handles the views'
        return unavailable_response(request, error)
    if not is_api_path(request):
        return defaults.server_error(request)
    return JsonResponse(error_body(request, status=500, message="Internal server error"), status=500)
