"""Request and response bodies of `/api/auth`."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from rest_framework import serializers

from accounts.models import User
from accounts.tokens import api_role
from api.fields import PlainTextField, StrictSerializer
from common.timestamps import format_timestamp


class EmailField(PlainTextField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, is_single_line=True, allow_blank=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data).lower()
        if len(text) > self.max_length:  # lower() can make text longer
            raise serializers.ValidationError("Invalid email format")
        try:
            validate_email(text)
        except DjangoValidationError as error:
            raise serializers.ValidationError("Invalid email format") from error
        return text


class PasswordField(PlainTextField):
    """Not stripped, because spaces belong to a password."""

    def to_internal_value(self, data: Any) -> str:
        super().to_internal_value(data)
        return data


class RegisterSerializer(StrictSerializer):
    username = PlainTextField(max_length=150, is_single_line=True)
    email = EmailField()
    password = PasswordField(max_length=1000)

    def validate_username(self, value: str) -> str:
        if len(value) < 5:
            raise serializers.ValidationError("username must be at least 5 characters long")
        return value

    def validate_password(self, value: str) -> str:
        if len(value) < 6:
            raise serializers.ValidationError("Password must be at least 6 characters long")
        return value


class LoginSerializer(StrictSerializer):
    email = EmailField()
    password = PasswordField(max_length=1000)


class MakeAdminSerializer(StrictSerializer):
    email = EmailField()


def user_data(user: User) -> dict[str, Any]:
    """Return `{id, username, email, role}` for login and registration."""
    return {"id": user.public_id, "username": user.username, "email": user.email, "role": api_role(user)}


def profile_data(user: User) -> dict[str, Any]:
    """Return the profile, with the id under both names of the legacy API."""
    return {
        "_id": user.public_id,
        **user_data(user),
        "createdAt": format_timestamp(user.created_at),
        "updatedAt": format_timestamp(user.updated_at),
        "__v": 0,
    }
