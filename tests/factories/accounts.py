"""People and service keys."""

from typing import Any

import factory
from django.utils import timezone

from accounts.models import ServiceKey, User
from accounts.service_keys import create_service_key
from accounts.tokens import issue_token

PASSWORD = "correct horse battery"


class UserFactory(factory.django.DjangoModelFactory):
    """An active editor who can log in with PASSWORD; `password=None` for one who cannot."""

    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    username = factory.Sequence(lambda n: f"person-{n}")
    role = User.Role.EDITOR

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **fields: Any) -> User:
        return model_class.objects.create_user(**({"password": PASSWORD} | fields))


class AdminFactory(UserFactory):
    """Admin on the wire, staff and superuser in the admin."""

    email = factory.Sequence(lambda n: f"admin{n}@example.com")
    role = User.Role.ADMIN
    is_staff = True
    is_superuser = True


class ServiceKeyFactory(factory.django.DjangoModelFactory):
    """A usable key; its text, as the service sends it, is `plain_key` of the row made."""

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
    """The value of an `Authorization` header of this person."""
    return f"Bearer {issue_token(user, timezone.now())}"
