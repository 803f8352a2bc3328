"""Register users, check their credentials, grant the role admin."""

import logging
from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction

from accounts.errors import EmailAlreadyRegistered, InvalidCredentials, UserNotFound
from accounts.models import User

log = logging.getLogger(__name__)


def register_user(*, username: str, email: str, password: str) -> User:
    """Create an editor. Raises EmailAlreadyRegistered, also for concurrent registrations."""
    if User.objects.with_email(email).exists():
        raise EmailAlreadyRegistered("User already exists with this email", field="email")
    try:
        with transaction.atomic():
            user = User.objects.create_user(email=email, username=username, password=password)
    except IntegrityError as error:
        raise EmailAlreadyRegistered("User already exists with this email", field="email") from error
    log.info("user registered", extra={"user": user.public_id})
    return user


def authenticate_user(*, email: str, password: str, now: datetime) -> User:
    """Return the user for valid credentials. Raises InvalidCredentials.

    An unknown e-mail costs one password hash too, so that response times do not reveal which e-mails exist.
    """
    user = User.objects.with_email(email).first()
    if user is None:
        make_password(password)
    is_correct = user is not None and check_password(password, user.password, setter=_upgrade_hash(user))
    if user is None or not is_correct or not user.is_active:
        log.warning("login rejected", extra={"reason": "inactive" if is_correct else "credentials"})
        raise InvalidCredentials("Invalid credentials")
    User.objects.filter(pk=user.pk).update(last_login=now)
    return user


def _upgrade_hash(user: User):  # type: ignore[no-untyped-def]
    def upgrade(raw_password: str) -> None:
        user.set_password(raw_password)
        User.objects.filter(pk=user.pk).update(password=user.password)

    return upgrade


def ensure_user(*, email: str, username: str = "") -> User:
    """Return the user with this e-mail, created without a usable password if absent. Imports use it."""
    user = User.objects.with_email(email).first()
    return user or User.objects.create_user(email=email, username=username or email.partition("@")[0])


def ensure_users(emails: Collection[str]) -> None:
    """Create the users that are absent, as `ensure_user` does. The e-mails must be in lower case."""
    known = User.objects.filter(email__in=emails).values_list("email", flat=True)
    for email in sorted(set(emails) - set(known)):
        ensure_user(email=email)


def grant_admin_role(*, email: str, by: User | None) -> User:
    """Grant the role `admin`. Raises UserNotFound."""
    user = User.objects.with_email(email).first()
    if user is None:
        raise UserNotFound(f"User not found: {email}")
    if user.role != User.Role.ADMIN:
        user.role = User.Role.ADMIN
        user.save(update_fields=["role", "updated_at"])
        log.warning("admin role granted", extra={"user": user.public_id, "by": by.public_id if by else "command"})
    return user
