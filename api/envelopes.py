"""Envelopes of all responses below `/api`: `data` on success, code and message on errors.

`/api`, `/api/health`, reads of `/api/taxonomy/*` and the documentation have no envelope.
"""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.response import Response

from common.errors import FieldErrorDetail
from common.timestamps import format_timestamp

# Names that legacy clients match; other statuses have HttpException.
EXCEPTION_NAMES = {
    400: "BadRequestException",
    401: "UnauthorizedException",
    409: "ConflictException",
    413: "PayloadTooLargeException",
    415: "UnsupportedMediaTypeException",
    500: "InternalServerErrorException",
    503: "ServiceUnavailableException",
}


def success(data: Any, *, status: int = 200, extra: dict[str, Any] | None = None) -> Response:
    """`{success, data, metadata.timestamp}`; `extra` adds keys next to `data` (pagination of service clients)."""
    return Response(
        {"success": True, "data": data, **(extra or {}), "metadata": {"timestamp": format_timestamp(timezone.now())}},
        status=status,
    )


def success_from_json(data_json: bytes, *, extra_json: bytes = b"", status: int = 200) -> HttpResponse:
    """Return the same envelope around JSON text, without parsing it.

    `extra_json` starts with a comma, for example `,"total":3`.
    """
    timestamp = format_timestamp(timezone.now()).encode()
    return HttpResponse(
        b'{"success":true,"data":' + data_json + extra_json + b',"metadata":{"timestamp":"' + timestamp + b'"}}',
        content_type="application/json",
        status=status,
    )


def error_body(
    request: HttpRequest,
    *,
    status: int,
    message: str,
    messages: list[str] | None = None,
    field_errors: tuple[FieldErrorDetail, ...] = (),
    name: str | None = None,
) -> dict[str, Any]:
    """Return the error envelope. `message` is also at the top level, because two clients read it there."""
    details: dict[str, Any] = {
        "statusCode": status,
        "message": messages or [message],
        "error": HTTPStatus(status).phrase,
    }
    if field_errors:
        details["errors"] = {
            field_error.field: [f.message for f in field_errors if f.field == field_error.field]
            for field_error in field_errors
        }
    return {
        "success": False,
        "statusCode": status,
        "message": message,
        "error": {"code": name or EXCEPTION_NAMES.get(status, "HttpException"), "message": message, "details": details},
        "metadata": {"timestamp": format_timestamp(timezone.now()), "path": request.get_full_path()},
    }
