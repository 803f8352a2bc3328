"""Ask our own doors in this process: through every middleware, reading only."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from rest_framework.test import APIClient

from accounts.models import ServiceKey, User
from accounts.service_keys import ServicePrincipal
from accounts.tokens import issue_token


@dataclass(frozen=True)
class ClientResponse:
    status: int
    content: bytes


@contextmanager
def read_only_snapshot() -> Iterator[None]:
    """All that is read inside is of one and the same moment, and the database refuses every write.

    So what others change meanwhile makes no difference between two readings, and a check cannot leave a trace there.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


class InternalClient:
    """The doors as one caller finds them. A person comes with a token signed for the occasion.

    Of a service's key only the hash is known, so for a service the doors are told who is calling: all behind the
    check of the key is as ever.
    """

    def __init__(self, caller: User | ServicePrincipal, *, now: datetime) -> None:
        self.caller = caller
        self._client = APIClient(raise_request_exception=False)
        self._headers = {"Host": urlsplit(settings.PUBLIC_BASE_URL).netloc}
        if isinstance(caller, User):
            self._headers["Authorization"] = f"Bearer {issue_token(caller, now)}"
        else:
            self._client.force_authenticate(user=caller)

    def get(self, path: str) -> ClientResponse:
        # As over HTTPS: production would only send us there.
        answer = self._client.get(path, secure=True, headers=self._headers)
        return ClientResponse(answer.status_code, _content(answer))


def sample_service(now: datetime) -> ServicePrincipal:
    """A service that has a key; where none has, one that has not."""
    key = ServiceKey.objects.usable(now).order_by("pk").first()
    return ServicePrincipal(name=key.name, key_pk=key.pk) if key else ServicePrincipal(name="without a key", key_pk=0)


def _content(answer: Any) -> bytes:
    return answer.getvalue() if answer.streaming else answer.content
