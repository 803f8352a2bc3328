"""The two shapes every answer under `/api` takes: a success around `data`, an error around a code and a message.

Only `/api`, `/api/health`, `/api/taxonomy/*` reads and the documentation answer bare.
"""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.response import Response

from common.errors import FieldErrorDetail
from common.timestamps import format_timestamp

# The names old clients know; any other status says HttpException.
EXCEPTION_NAMES = {
    400: "BadRequestException",
    401: "UnauthorizedException",
    409: "ConflictException",
    413: "PayloadTooLargeException",
    415: "UnsupportedMediaTypeException",
    500: "InternalServerErrorException",
    503: "ServiceUnavailableException",
}


def success(data: Any, *, status: int = 200, beside: dict[str, Any] | None = None) -> Response:
    """`{success, data, metadata.timestamp}`; `beside` adds keys next to `data` (paging of service clients)."""
    return Response(
        {"success": True, "data": data, **(beside or {}), "metadata": {"timestamp": format_timestamp(timezone.now())}},
        status=status,
    )


def success_from_json(data_json: bytes, *, beside_json: bytes = b"", status: int = 200) -> HttpResponse:
    """The same envelope around JSON that is already text, so that a read is never parsed and written again.

    `beside_json` starts with a comma when given: `,"total":3`.
    """
    timestamp = format_timestamp(timezone.now()).encode()
    return HttpResponse(
        b'{"success":true,"data":' + data_json + beside_json + b',"metadata":{"timestamp":"' + timestamp + b'"}}',
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
    """The error envelope; `message` stands at the top level too, where two of the clients look first."""
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
