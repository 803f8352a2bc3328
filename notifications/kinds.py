"""Registry of notification kinds. Apps register theirs in `AppConfig.ready()`."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notifications.models import Notification

# Delivers one notification. Raises RegistryError or OSError if the receiver did not accept it.
Deliver = Callable[["Notification", datetime], None]

_kinds: dict[str, Deliver] = {}


def register_kind(kind: str, deliver: Deliver) -> None:
    """Register `deliver` for notifications of `kind` (at most 10 characters)."""
    _kinds[kind] = deliver


def find_deliver(kind: str) -> Deliver | None:
    return _kinds.get(kind)
