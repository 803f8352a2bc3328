"""Sign users out, deactivate and activate them, and check who may do so."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.errors import UserNotManageable
from accounts.models import User

log = logging.getLogger(__name__)


def can_manage(actor: User, user: User) -> bool:
    """Return True for superusers, and for other staff if `user` has no admin rights that they could take over."""
    return actor.is_superuser or not (user.is_superuser or user.is_staff or user.role == User.Role.ADMIN)


@transaction.atomic
def revoke_sessions(users: Sequence[User], *, by: User, now: datetime) -> int:
    """Revoke tokens and admin sessions issued before `now`; return the number of users. Raises UserNotManageable."""
    _check_manageable(users, by)
    return _update(users, "sessions revoked", by, tokens_valid_from=now)


@transaction.atomic
def deactivate(users: Sequence[User], *, by: User, now: datetime) -> int:
    """Deactivate users; return their number. Raises UserNotManageable.

    Sessions are revoked too, so that old tokens stay invalid after a later activation.
    """
    _check_manageable(users, by)
    if any(user.pk == by.pk for user in users):
        raise UserNotManageable("You cannot deactivate yourself")
    return _update(users, "users deactivated", by, is_active=False, tokens_valid_from=now, updated_at=now)


@transaction.atomic
def activate(users: Sequence[User], *, by: User, now: datetime) -> int:
    _check_manageable(users, by)
    return _update(users, "users activated", by, is_active=True, updated_at=now)


def _check_manageable(users: Sequence[User], by: User) -> None:
    rejected = [user.email for user in users if not can_manage(by, user)]
    if rejected:
        raise UserNotManageable(f"Only superusers can manage staff and admins: {', '.join(rejected)}")


def _update(users: Sequence[User], message: str, by: User, **changes: object) -> int:
    count = User.objects.filter(pk__in=[user.pk for user in users]).update(**changes)
    log.warning(message, extra={"users": [user.public_id for user in users], "by": by.public_id})
    return count
