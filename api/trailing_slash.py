"""`/api/assets/` answers like `/api/assets`, without a redirect: a redirect loses bodies and breaks preflights."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase


class DropApiTrailingSlash:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/api/") and request.path_info.endswith("/"):
            request.path_info = request.path_info.rstrip("/")
        return self.get_response(request)
