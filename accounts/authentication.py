"""Who is calling: a person's token in `Authorization: Bearer`, or a service's key in `X-API-Key`."""

from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts.models import User
from accounts.service_keys import ServicePrincipal, authenticate_service_key
from accounts.tokens import decode_token, is_revoked
from accounts.user_cache import CachedUser, get_cached_user


class TokenAuthentication(BaseAuthentication):
    """Reads are answered from a snapshot of the person; writes look the person up."""

    def authenticate(self, request: Request) -> tuple[User | CachedUser, dict[str, Any]] | None:
        scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        if not token.strip() and request.headers.get("X-API-Key"):
            return None  # clients send an empty Bearer when they have none
        claims = decode_token("".join(token.split()))
        person: User | CachedUser | None = None
        if claims and request.method in SAFE_METHODS:
            person = get_cached_user(claims["userId"])
        elif claims:
            person = User.objects.filter(public_id=claims["userId"]).first()
        if claims is None or person is None or not person.is_active or is_revoked(claims, person.tokens_valid_from):
            raise AuthenticationFailed("Unauthorized")
        return person, claims

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ServiceKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[ServicePrincipal, None] | None:
        text = request.headers.get("X-API-Key", "").strip()
        if not text:
            return None
        caller = authenticate_service_key(text, timezone.now())
        if caller is None:
            raise AuthenticationFailed("Invalid API key")
        return caller, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
