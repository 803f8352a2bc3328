"""Call the API in this process, through all middleware."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import connection, transaction

from accounts.models import ServiceKey, User
from accounts.service_keys import ServicePrincipal
from accounts.tokens import issue_token


@dataclass(frozen=True)
class ClientResponse:
    status: int
    content: bytes


@contextmanager
def read_only_snapshot() -> Iterator[None]:
    """Read in one read-only snapshot of the database.

    Concurrent changes cannot cause differences between two reads, and a check cannot write.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


class InternalClient:
    """Call the API as one user or service.

    A user sends a new token. Only the hash of a service key is stored, so the key of a service is not checked.
    """

    def __init__(self, caller: User | ServicePrincipal, *, now: datetime) -> None:
        self.caller = caller
        self._handler = WSGIHandler()
        self._authorization = f"Bearer {issue_token(caller, now)}" if isinstance(caller, User) else ""

    def get(self, path: str) -> ClientResponse:
        request = WSGIRequest(self._environ(path))
        if isinstance(self.caller, ServicePrincipal):
            request._force_auth_user = self.caller  # type: ignore[attr-defined]  # REST framework skips authentication
        # Without the signals of a real request: they would close the connection that has the snapshot.
        response = self._handler.get_response(request)
        return ClientResponse(response.status_code, _content(response))

    def _environ(self, path: str) -> dict[str, Any]:
        url = urlsplit(path)
        host = urlsplit(settings.PUBLIC_BASE_URL)
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": unquote_to_bytes(url.path).decode("iso-8859-1"),
            "QUERY_STRING": url.query,
            "SERVER_NAME": host.hostname or "localhost",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": host.netloc,
            "wsgi.url_scheme": "https",  # production redirects HTTP
            "wsgi.input": BytesIO(),
        }
        return environ | ({"HTTP_AUTHORIZATION": self._authorization} if self._authorization else {})


def sample_service(now: datetime) -> ServicePrincipal:
    """Return a service with a usable key, or a placeholder if there is none."""
    key = ServiceKey.objects.usable(now).order_by("pk").first()
    return ServicePrincipal(name=key.name, key_pk=key.pk) if key else ServicePrincipal(name="without a key", key_pk=0)


def _content(response: Any) -> bytes:
    return response.getvalue() if response.streaming else response.content
