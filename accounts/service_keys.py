"""Create, revoke and authenticate service keys. Only their hash is stored."""

import hashlib
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.errors import ServiceKeyNameTaken
from accounts.models import ServiceKey, User
from common.errors import InvalidInput
from common.text_validation import clean_text

log = logging.getLogger(__name__)

KEY_PREFIX = "nna_"
_LAST_USED_INTERVAL = timedelta(minutes=1)  # limits writes of `last_used_at`, or each read would cost one


@dataclass(frozen=True)
class ServicePrincipal:
    """`request.user` of a request with a service key."""

    name: str
    key_pk: int
    pk: None = None
    role: str = "service"
    is_authenticated: bool = True
    is_active: bool = True
    is_staff: bool = False
    is_superuser: bool = False
    is_admin: bool = False
    is_service: bool = True

    @property
    def public_id(self) -> str:
        return f"service:{self.key_pk}"

    @property
    def email(self) -> str:
        return f"service:{self.name}"


def create_service_key(name: str, *, by: User | None, expires_at: datetime | None = None) -> tuple[ServiceKey, str]:
    """Create a key; return the row and the key text, which is not stored.

    Raises InvalidInput for an invalid name, ServiceKeyNameTaken for a used one.
    """
    name = clean_text(name, field="name", max_length=100, is_single_line=True).strip()
    if not name:
        raise InvalidInput("name should not be empty", field="name")
    if ServiceKey.objects.filter(name=name).exists():
        raise ServiceKeyNameTaken(f"A key named {name} exists; choose another name", field="name")
    text = KEY_PREFIX + secrets.token_urlsafe(32)
    row = ServiceKey.objects.create(
        name=name, prefix=text[:10], key_sha256=hash_key(text), created_by=by, expires_at=expires_at
    )
    log.warning("service key created", extra={"key": row.pk, "by": by.public_id if by else "command"})
    return row, text


def revoke_keys(keys: Iterable[ServiceKey], *, by: User, now: datetime) -> int:
    """Revoke keys; return how many were not revoked before."""
    count = 0
    for key in keys:
        count += key.revoked_at is None
        key.revoke(now)
        log.warning("service key revoked", extra={"key": key.pk, "by": by.public_id})
    return count


def hash_key(text: str) -> str:
    """Return the SHA-256, which is enough for 256 random bits. A lookup by hash also prevents timing attacks."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def authenticate_service_key(text: str, now: datetime) -> ServicePrincipal | None:
    """Return the service of a valid key; None for an unknown, expired or revoked key."""
    row = ServiceKey.objects.usable(now).filter(key_sha256=hash_key(text)).first()
    if row is None:
        return None
    if row.last_used_at is None or now - row.last_used_at > _LAST_USED_INTERVAL:
        # The old value in the filter lets only one of several concurrent reads write.
        ServiceKey.objects.filter(pk=row.pk, last_used_at=row.last_used_at).update(last_used_at=now)
    return ServicePrincipal(name=row.name, key_pk=row.pk)
