"""Middleware of pages with a session: the standard classes, skipped below `/api`, where requests carry tokens.

The setting names them in place of the standard ones. The CSRF middleware stays as it is: it does nothing for views of
REST framework.
"""

from collections.abc import Callable

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from simple_history.middleware import HistoryRequestMiddleware

from api.exception_handler import is_api_path

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class _SkipsApi(MiddlewareMixin):
    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request) if is_api_path(request) else super().__call__(request)


class SessionMiddleware(_SkipsApi, sessions.SessionMiddleware):
    """Loads the session from its cookie."""


class AuthenticationMiddleware(_SkipsApi, auth.AuthenticationMiddleware):
    """Sets `request.user` to the user of the session; REST framework sets it to the user of the token."""


class MessageMiddleware(_SkipsApi, messages.MessageMiddleware):
    """Shows the messages of an action on the next page."""


def history_middleware(get_response: GetResponse) -> GetResponse:
    """Record the user of the session as author of changes. The API names the author of each change itself."""
    get_response_with_history = HistoryRequestMiddleware(get_response)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return get_response(request) if is_api_path(request) else get_response_with_history(request)

    return middleware
