"""Permissions by kind of caller: a user with a role, or a service with a key."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request


def is_service(request: Request) -> bool:
    """True for a request with `X-API-Key` (the recommendation service), False for a user token."""
    return bool(getattr(request.user, "is_service", False))


class IsUser(BasePermission):
    """Requires a user token; a service key is not enough."""

    message = "A user token is required"

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user and request.user.is_authenticated and not is_service(request))


class IsUserOrServiceReadOnly(BasePermission):
    """Users may read and write, services only read."""

    message = "Service keys may only read"

    def has_permission(self, request: Request, view: Any) -> bool:
        if not (request.user and request.user.is_authenticated):
            return False
        return request.method in SAFE_METHODS or not is_service(request)


class IsAdminRole(BasePermission):
    message = "Admin access required"

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user and request.user.is_authenticated and getattr(request.user, "is_admin", False))
