"""What a read needs to know of a person, kept in the process for some seconds so that a token costs no query."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from accounts.models import User

_MAX_PEOPLE = 10_000


@dataclass(frozen=True)
class CachedUser:
    """A person as of a moment ago. Good for reading; whoever writes is looked up afresh."""

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


_lock = threading.Lock()
_people: OrderedDict[str, tuple[float, CachedUser]] = OrderedDict()


def get_cached_user(public_id: str) -> CachedUser | None:
    """The person, at most ACCOUNTS_USER_CACHE_SECONDS old; None when there is no such person."""
    now = time.monotonic()
    with _lock:
        kept = _people.get(public_id)
    if kept and kept[0] > now:
        return kept[1]
    row = User.objects.filter(public_id=public_id).values(
        "pk", "public_id", "email", "role", "is_active", "is_staff", "is_superuser", "tokens_valid_from"
    ).first()  # fmt: skip
    if row is None:
        return None
    snapshot = CachedUser(**row)
    with _lock:
        _people[public_id] = (now + settings.ACCOUNTS_USER_CACHE_SECONDS, snapshot)
        _people.move_to_end(public_id)
        if len(_people) > _MAX_PEOPLE:
            _people.popitem(last=False)
    return snapshot


def clear_user_cache() -> None:
    """Drop this process's snapshots."""
    with _lock:
        _people.clear()
