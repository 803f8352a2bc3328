"""Every answer names its request; a caller's own id is kept when it is harmless."""

import re
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from common.request_context import request_id

_HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class NameRequest:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-Id", "")
        name = given if _HARMLESS.fullmatch(given) else secrets.token_hex(8)
        token = request_id.set(name)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response["X-Request-Id"] = name
        return response
