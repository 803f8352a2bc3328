"""Who may call what, by the caller's kind: a person with a role, or a service with a key."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request


def is_service(request: Request) -> bool:
    """True for a caller that came with `X-API-Key` (the recommendation service), not with a person's token."""
    return bool(getattr(request.user, "is_service", False))


class IsUser(BasePermission):
    """A person's token; a service key alone is not enough."""

    message = "A user token is required"

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user and request.user.is_authenticated and not is_service(request))


class IsUserOrServiceReadOnly(BasePermission):
    """Anyone known may read; only a person may write."""

    message = "Service keys may only read"

    def has_permission(self, request: Request, view: Any) -> bool:
        if not (request.user and request.user.is_authenticated):
            return False
        return request.method in SAFE_METHODS or not is_service(request)


class IsAdminRole(BasePermission):
    message = "Admin access required"

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user and request.user.is_authenticated and getattr(request.user, "is_admin", False))
