"""Authentication of API requests: a user's token in `Authorization: Bearer`, or a service key in `X-API-Key`."""

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
    """Loads the user from the cache for safe methods, from the database for all others."""

    def authenticate(self, request: Request) -> tuple[User | CachedUser, dict[str, Any]] | None:
        scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        if not token.strip() and request.headers.get("X-API-Key"):
            return None  # legacy clients send an empty Bearer if they have no token
        claims = decode_token("".join(token.split()))
        user: User | CachedUser | None = None
        if claims and request.method in SAFE_METHODS:
            user = get_cached_user(claims["userId"])
        elif claims:
            user = User.objects.filter(public_id=claims["userId"]).first()
        if claims is None or user is None or not user.is_active or is_revoked(claims, user.tokens_valid_from):
            raise AuthenticationFailed("Unauthorized")
        return user, claims

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ServiceKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[ServicePrincipal, None] | None:
        key = request.headers.get("X-API-Key", "").strip()
        if not key:
            return None
        service = authenticate_service_key(key, timezone.now())
        if service is None:
            raise AuthenticationFailed("Invalid API key")
        return service, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
