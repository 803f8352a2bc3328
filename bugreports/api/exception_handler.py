"""Render errors of /api/bug-reports as one flat object with an upper-case code. It contains no input values.

Status codes and log lines come from `api.exception_handler`; only the body differs.
"""

from typing import Any

from django.db import DatabaseError, IntegrityError, InterfaceError
from django.http import Http404
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.response import Response

from api.exception_handler import exception_handler
from api.outages import DATABASE_OUTAGES
from bugreports.errors import InvalidPayload, TransitionNotAllowed
from common.errors import PayloadTooLarge, RegistryError, UnsupportedMediaType
from common.request_context import trace_id
from common.timestamps import format_timestamp

_CODES: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.NotAuthenticated, "UNAUTHORIZED"),
    (exceptions.AuthenticationFailed, "UNAUTHORIZED"),
    (exceptions.PermissionDenied, "FORBIDDEN"),
    (exceptions.Throttled, "RATE_LIMITED"),
    (exceptions.UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE"),
    (exceptions.MethodNotAllowed, "METHOD_NOT_ALLOWED"),
    (exceptions.ParseError, "INVALID_JSON"),
    (exceptions.ValidationError, "INVALID_REQUEST"),
    (Http404, "NOT_FOUND"),
    (PayloadTooLarge, "PAYLOAD_TOO_LARGE"),
    (UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE"),
    (IntegrityError, "CONFLICT"),
    (DatabaseError, "DATABASE_ERROR"),
    (InterfaceError, "DATABASE_ERROR"),
)
_TEXTS = {
    "UNAUTHORIZED": "Authentication required",
    "INVALID_JSON": "Request body must be valid JSON",
    "INVALID_BUG_REPORT_PAYLOAD": "Invalid bug report payload",
    "RATE_LIMITED": "Too many bug reports; try again later",
}


def handle_report_exception(exc: Exception, context: dict[str, Any]) -> Response:
    response = exception_handler(exc, context)
    is_submission = context["request"].method == "POST" and getattr(context["view"], "is_intake", False)
    status, code = response.status_code, _code(exc, is_submission=is_submission)
    text = _TEXTS.get(code) or str(response.data["message"])
    if code == "DATABASE_ERROR" and not isinstance(exc, DATABASE_OUTAGES):
        status = 500
    if is_submission and status >= 500:
        text = "Failed to save bug report"
    response.data = {
        "error": text,
        "error_code": code,
        "trace_id": trace_id.get() or None,
        "timestamp": format_timestamp(timezone.now()),
        "details": _details(exc, response.data),
    }
    response.status_code = status
    return response


def _code(exc: Exception, *, is_submission: bool) -> str:
    if isinstance(exc, exceptions.ValidationError) and isinstance(exc.detail, dict) and "status" in exc.detail:
        return "INVALID_STATUS"
    for kind, code in _CODES:
        if isinstance(exc, kind):
            return code
    if isinstance(exc, RegistryError):
        return exc.code.upper()
    return "BUG_REPORT_SAVE_FAILED" if is_submission else "INTERNAL_ERROR"


def _details(exc: Exception, document: dict[str, Any]) -> dict[str, Any]:
    if isinstance(exc, InvalidPayload):
        is_schema = exc.code == InvalidPayload.code
        return {"path": exc.path} | ({"schema_error": exc.message} if is_schema else {})
    if isinstance(exc, TransitionNotAllowed):
        return exc.details
    errors = document.get("error", {}).get("details", {}).get("errors", {})
    fields = [name for name in errors if name]
    return {"path": "/" + fields[0].replace(".", "/"), "errors": errors} if fields else {}
