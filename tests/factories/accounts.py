"""Users and service keys."""

from typing import Any

import factory
from django.utils import timezone

from accounts.models import ServiceKey, User
from accounts.service_keys import create_service_key
from accounts.tokens import issue_token

PASSWORD = "correct horse battery"


class UserFactory(factory.django.DjangoModelFactory):
    """An active editor with PASSWORD, or without a usable password by `password=None`."""

    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"user{n}@example.com")
    username = factory.Sequence(lambda n: f"user-{n}")
    role = User.Role.EDITOR

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **fields: Any) -> User:
        return model_class.objects.create_user(**({"password": PASSWORD} | fields))


class AdminFactory(UserFactory):
    """A superuser with the role admin."""

    email = factory.Sequence(lambda n: f"admin{n}@example.com")
    role = User.Role.ADMIN
    is_staff = True
    is_superuser = True


class ServiceKeyFactory(factory.django.DjangoModelFactory):
    """A valid key; `plain_key` of the instance is its text."""

    class Meta:
        model = ServiceKey

    name = factory.Sequence(lambda n: f"service {n}")

    @classmethod
    def _create(cls, model_class: type[ServiceKey], *args: Any, **fields: Any) -> ServiceKey:
        row, text = create_service_key(fields.pop("name"), by=fields.pop("created_by", None))
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()
        row.plain_key = text  # type: ignore[attr-defined]
        return row


def bearer(user: User) -> str:
    """Return the value of the `Authorization` header for this user."""
    return f"Bearer {issue_token(user, timezone.now())}"
