"""User tokens: HS256 JWT, valid for 24 hours, with the claims of the legacy API."""

import math
import time
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

from accounts.models import User
from common.public_ids import is_public_id

LEEWAY_SECONDS = 10  # for clock differences between servers


def issue_token(user: User, now: datetime) -> str:
    """Return a signed token with userId, sub, email, role, iat, exp."""
    # `iat` has whole seconds. In the second of a revocation it is the next second, or this token would be revoked too.
    issued_at = max(int(now.timestamp()), _first_valid_second(user.tokens_valid_from))
    return _backend().encode(
        {
            "userId": user.public_id,
            "sub": user.public_id,
            "email": user.email,
            "role": api_role(user),
            "iat": issued_at,
            "exp": issued_at + settings.ACCOUNTS_TOKEN_LIFETIME_SECONDS,
        }
    )


def decode_token(token: str) -> dict[str, Any] | None:
    """Return the claims of a valid token; None for an invalid or expired one."""
    try:
        claims = _decode(token, settings.ACCOUNTS_SIGNING_KEY)
    except (TokenBackendError, ValueError, TypeError):
        return None
    expires_at = claims.get("exp")
    if not isinstance(expires_at, int) or expires_at <= time.time() - LEEWAY_SECONDS:
        return None
    user_id, issued_at = claims.get("userId"), claims.get("iat")
    if not isinstance(user_id, str) or not is_public_id(user_id) or not isinstance(issued_at, int):
        return None
    return dict(claims)


def is_revoked(claims: dict[str, Any], tokens_valid_from: datetime | None) -> bool:
    """True for a token issued before a change of the password or a revocation of sessions."""
    return claims["iat"] < _first_valid_second(tokens_valid_from)


def _first_valid_second(tokens_valid_from: datetime | None) -> int:
    return math.ceil(tokens_valid_from.timestamp()) if tokens_valid_from else 0


def api_role(user: User) -> str:
    """Return the role for API clients: `admin` also for superusers."""
    return "admin" if user.role == User.Role.ADMIN or user.is_superuser else "editor"


@lru_cache(maxsize=10_000)
def _decode(token: str, key: str) -> dict[str, Any]:
    """Cache valid tokens, because the signature check is slow. `decode_token` checks the expiry each time."""
    return _backend().decode(token)


def _backend() -> TokenBackend:
    return TokenBackend("HS256", settings.ACCOUNTS_SIGNING_KEY, leeway=timedelta(seconds=LEEWAY_SECONDS))
