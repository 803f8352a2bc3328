"""People come in, log in, get roles."""

import logging
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction

from accounts.errors import EmailAlreadyRegistered, InvalidCredentials, UserNotFound
from accounts.models import User

log = logging.getLogger(__name__)


def register_user(*, username: str, email: str, password: str) -> User:
    """A new editor. Raises EmailAlreadyRegistered, also when two ask at the same moment."""
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
    """The person. Raises InvalidCredentials; the work done is the same whether or not the e-mail is known."""
    user = User.objects.with_email(email).first()
    if user is None:
        make_password(password)
    is_right = user is not None and check_password(password, user.password, setter=_upgrade_hash(user))
    if user is None or not is_right or not user.is_active:
        log.warning("login refused", extra={"reason": "inactive" if is_right else "credentials"})
        raise InvalidCredentials("Invalid credentials")
    User.objects.filter(pk=user.pk).update(last_login=now)
    return user


def _upgrade_hash(user: User):  # type: ignore[no-untyped-def]
    def upgrade(raw_password: str) -> None:
        user.set_password(raw_password)
        User.objects.filter(pk=user.pk).update(password=user.password)

    return upgrade


def ensure_user(*, email: str, username: str = "") -> User:
    """The person of this e-mail, made without a usable password if there is none (imports name people)."""
    user = User.objects.with_email(email).first()
    return user or User.objects.create_user(email=email, username=username or email.partition("@")[0])


def grant_admin_role(*, email: str, by: User | None) -> User:
    """Give the role `admin`. Raises UserNotFound."""
    user = User.objects.with_email(email).first()
    if user is None:
        raise UserNotFound(f"User not found: {email}")
    if user.role != User.Role.ADMIN:
        user.role = User.Role.ADMIN
        user.save(update_fields=["role", "updated_at"])
        log.warning("role admin given", extra={"user": user.public_id, "by": by.public_id if by else "command"})
    return user
