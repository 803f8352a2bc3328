"""Permissions of /api/bug-reports. Each request reads the database, not the user cache."""

from typing import Any

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import User
from api.permissions import IsUser
from api.throttling import IpRateThrottle, consume_rate_limit

_VIEW, _TRIAGE, _PURGE = (f"bugreports.{action}_bugreport" for action in ("view", "triage", "purge"))


class CanSubmitReports(IsUser):
    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        return request.user.is_staff or not settings.BUGREPORTS_SUBMIT_STAFF_ONLY


class HasStaffPermission(BasePermission):
    """Require an active staff user with one of the permissions in `sufficient`."""

    message = "Admin role required"
    sufficient: tuple[str, ...] = ()

    def has_permission(self, request: Request, view: Any) -> bool:
        if not (request.user and request.user.is_authenticated and request.user.pk):
            return False
        user = User.objects.filter(pk=request.user.pk, is_active=True, is_staff=True).first()
        return user is not None and any(user.has_perm(name) for name in self.sufficient)


class CanViewReports(HasStaffPermission):
    sufficient = (_VIEW, _TRIAGE)


class CanTriageReports(HasStaffPermission):
    sufficient = (_TRIAGE,)


class CanPurgeReports(HasStaffPermission):
    sufficient = (_PURGE,)


class IntakeThrottle(IpRateThrottle):
    """Limit requests by user and minute, by user and day, and in total. Runs before the body is read."""

    def allow_request(self, request: Request, view: Any) -> bool:
        user = f"user:{request.user.pk}"
        budgets = (("bug_reports", user), ("bug_reports_day", user), ("bug_reports_all", "all"))
        self._wait = None
        for scope, ident in budgets:
            self._wait = consume_rate_limit(scope, ident)
            if self._wait is not None:
                return False
        return True
