"""Queries of users and service keys."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.base_user import BaseUserManager
from django.db import models

if TYPE_CHECKING:
    from accounts.models import User


class UserQuerySet(models.QuerySet["User"]):
    def with_email(self, email: str) -> Self:
        return self.filter(email=email.strip().lower())

    def active_staff(self) -> Self:
        return self.filter(is_staff=True, is_active=True)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """The methods that Django's commands need. Other code calls `accounts.registration`."""

    def get_by_natural_key(self, email: str) -> "User":
        return self.get(email=email.strip().lower())

    def create_user(self, email: str, username: str = "", password: str | None = None, **fields: Any) -> "User":
        email = email.strip().lower()
        user = self.model(email=email, username=username or email.partition("@")[0], **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, username: str = "", password: str | None = None, **fields: Any) -> "User":
        fields = {"is_staff": True, "is_superuser": True, "role": self.model.Role.ADMIN} | fields
        return self.create_user(email, username, password, **fields)


class ServiceKeyQuerySet(models.QuerySet["ServiceKey"]):
    def usable(self, now: datetime) -> Self:
        return self.filter(revoked_at=None).filter(models.Q(expires_at=None) | models.Q(expires_at__gt=now))
