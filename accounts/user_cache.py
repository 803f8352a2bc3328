"""Per-process cache of users, so that authenticating a read costs no query."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from accounts.models import User


@dataclass(frozen=True)
class CachedUser:
    """The fields of a user that reads need. Writes load the row, because this copy may be outdated."""

    pk: int
    public_id: str
    email: str
    role: str
    is_active: bool
    is_staff: bool
    is_superuser: bool
    tokens_valid_from: datetime | None
    is_authenticated: bool = True
    is_service: bool = False

    @property
    def is_admin(self) -> bool:
        return self.is_active and (self.role == User.Role.ADMIN or self.is_superuser)


class UserCache:
    """Maps a public id to (expiry on the monotonic clock, user); drops the oldest entry above `max_users`."""

    def __init__(self, max_users: int) -> None:
        self.entries: OrderedDict[str, tuple[float, CachedUser]] = OrderedDict()
        self._max_users = max_users
        self._lock = threading.Lock()

    def get(self, public_id: str) -> CachedUser | None:
        """Return the user, at most ACCOUNTS_USER_CACHE_SECONDS old, or None if there is none."""
        now = time.monotonic()
        with self._lock:
            entry = self.entries.get(public_id)
        if entry and entry[0] > now:
            return entry[1]
        row = User.objects.filter(public_id=public_id).values(
            "pk", "public_id", "email", "role", "is_active", "is_staff", "is_superuser", "tokens_valid_from"
        ).first()  # fmt: skip
        if row is None:
            return None
        user = CachedUser(**row)
        with self._lock:
            self.entries[public_id] = (now + settings.ACCOUNTS_USER_CACHE_SECONDS, user)
            self.entries.move_to_end(public_id)
            if len(self.entries) > self._max_users:
                self.entries.popitem(last=False)
        return user


USERS = UserCache(max_users=10_000)  # about 5 MB


def get_cached_user(public_id: str) -> CachedUser | None:
    """Return the user from the cache of this process; see `UserCache.get`."""
    return USERS.get(public_id)
