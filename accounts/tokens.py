"""Tokens people carry: HS256 JWT for 24 hours, with the claims old clients read."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

from accounts.models import User

LEEWAY_SECONDS = 10  # clocks differ


def issue_token(user: User, now: datetime) -> str:
    """A signed token with userId, sub, email, role, iat, exp."""
    issued_at = int(now.timestamp())
    return _backend().encode(
        {
            "userId": user.public_id,
            "sub": user.public_id,
            "email": user.email,
            "role": wire_role(user),
            "iat": issued_at,
            "exp": issued_at + settings.ACCOUNTS_TOKEN_LIFETIME_SECONDS,
        }
    )


def read_token(token: str) -> dict[str, Any] | None:
    """The claims of a token we signed and that has not expired; None for any other text."""
    try:
        claims = _backend().decode(token)
    except (TokenBackendError, ValueError, TypeError):
        return None
    if not isinstance(claims.get("userId"), str) or not isinstance(claims.get("iat"), int) or "exp" not in claims:
        return None
    return claims


def issued_at(claims: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(claims["iat"], UTC)


def wire_role(user: User) -> str:
    """Old clients know `editor` and `admin`, whatever richer roles there are."""
    return "admin" if user.role == User.Role.ADMIN or user.is_superuser else "editor"


def _backend() -> TokenBackend:
    return TokenBackend("HS256", settings.ACCOUNTS_SIGNING_KEY, leeway=timedelta(seconds=LEEWAY_SECONDS))
