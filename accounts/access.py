"""Who may still come in: ending sessions, switching people off and on, and who may do that to whom."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.errors import UserNotManageable
from accounts.models import User

log = logging.getLogger(__name__)


def can_manage(actor: User, person: User) -> bool:
    """Superusers manage everybody; other staff only people without any power, or they could take that power over."""
    return actor.is_superuser or not (person.is_superuser or person.is_staff or person.role == User.Role.ADMIN)


@transaction.atomic
def revoke_sessions(people: Sequence[User], *, by: User, now: datetime) -> int:
    """Every token and admin session made before `now` is refused from here on. Raises UserNotManageable."""
    _check_manageable(people, by)
    return _update(people, "sessions ended", by, tokens_valid_from=now)


@transaction.atomic
def deactivate(people: Sequence[User], *, by: User, now: datetime) -> int:
    """Deactivate users and revoke their sessions, so that no old token works after reactivation.

    Raises UserNotManageable.
    """
    _check_manageable(people, by)
    if any(person.pk == by.pk for person in people):
        raise UserNotManageable("You cannot deactivate yourself")
    return _update(people, "people deactivated", by, is_active=False, tokens_valid_from=now, updated_at=now)


@transaction.atomic
def activate(people: Sequence[User], *, by: User, now: datetime) -> int:
    _check_manageable(people, by)
    return _update(people, "people activated", by, is_active=True, updated_at=now)


def _check_manageable(people: Sequence[User], by: User) -> None:
    refused = [person.email for person in people if not can_manage(by, person)]
    if refused:
        raise UserNotManageable(f"Only a superuser may do this to staff and admins: {', '.join(refused)}")


def _update(people: Sequence[User], message: str, by: User, **changes: object) -> int:
    count = User.objects.filter(pk__in=[person.pk for person in people]).update(**changes)
    log.warning(message, extra={"users": [person.public_id for person in people], "by": by.public_id})
    return count
