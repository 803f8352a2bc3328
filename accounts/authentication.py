"""Who is calling: a person's token in `Authorization: Bearer`, or a service's key in `X-API-Key`."""

from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts.models import User
from accounts.service_keys import ServiceCaller, find_caller
from accounts.tokens import is_outdated, read_token
from accounts.user_cache import PersonSnapshot, person_snapshot


class TokenAuthentication(BaseAuthentication):
    """Reads are answered from a snapshot of the person; writes look the person up."""

    def authenticate(self, request: Request) -> tuple[User | PersonSnapshot, dict[str, Any]] | None:
        scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        if not token.strip() and request.headers.get("X-API-Key"):
            return None  # clients send an empty Bearer when they have none
        claims = read_token("".join(token.split()))
        person: User | PersonSnapshot | None = None
        if claims and request.method in SAFE_METHODS:
            person = person_snapshot(claims["userId"])
        elif claims:
            person = User.objects.filter(public_id=claims["userId"]).first()
        if claims is None or person is None or not person.is_active or is_outdated(claims, person.tokens_valid_from):
            raise AuthenticationFailed("Unauthorized")
        return person, claims

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ServiceKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[ServiceCaller, None] | None:
        text = request.headers.get("X-API-Key", "").strip()
        if not text:
            return None
        caller = find_caller(text, timezone.now())
        if caller is None:
            raise AuthenticationFailed("Invalid API key")
        return caller, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
