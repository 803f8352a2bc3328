"""Queues of bug reports: list filter, sidebar badges and active states of the sidebar links."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from accounts.models import User
from bugreports.models import BugReport
from bugreports.queues import COUNTED_ROWS, EXPIRED, EXPIRING, MINE, REGRESSED, UNTRIAGED, count_queues, queue_reports

_SHOWN_ASSIGNEES = 200

TITLES = {
    UNTRIAGED: "Untriaged",
    MINE: "Mine",
    REGRESSED: "Regressions",
    EXPIRING: "Expiring soon",
    EXPIRED: "Expired, still open",
}


class QueueFilter(SimpleListFilter):
    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(TITLES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[BugReport]) -> QuerySet[BugReport]:
        if self.value() not in TITLES:
            return queryset
        return queue_reports(str(self.value()), request.user, timezone.now(), queryset)


class AssigneeFilter(DropdownFilter):
    """Offer the active staff, who alone can be assignees."""

    title = "assignee"
    parameter_name = "assignee__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        staff = User.objects.active_staff().order_by("email").values_list("pk", "email")[:_SHOWN_ASSIGNEES]
        return [("none", "Nobody"), *((str(pk), email) for pk, email in staff)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BugReport]) -> QuerySet[BugReport]:
        value = self.value() or ""
        if value == "none":
            return queryset.filter(assignee=None)
        return queryset.filter(assignee=int(value)) if value.isascii() and value.isdigit() else queryset


def may_see(request: HttpRequest) -> bool:
    return any(request.user.has_perm(f"bugreports.{action}_bugreport") for action in ("view", "triage"))


def _badge(request: HttpRequest, name: str) -> str:
    """Return the count of a queue. All queues are counted by one query, once per request."""
    if not may_see(request):
        return "0"
    counts = getattr(request, "bug_report_counts", None)
    if counts is None:
        counts = count_queues(request.user, timezone.now())
        request.bug_report_counts = counts  # type: ignore[attr-defined]
    return str(counts[name]) if counts[name] <= COUNTED_ROWS else f"{COUNTED_ROWS:,}+"


def untriaged_badge(request: HttpRequest) -> str:
    return _badge(request, UNTRIAGED)


def mine_badge(request: HttpRequest) -> str:
    return _badge(request, MINE)


def regressions_badge(request: HttpRequest) -> str:
    return _badge(request, REGRESSED)


def expiring_badge(request: HttpRequest) -> str:
    return _badge(request, EXPIRING)


def expired_badge(request: HttpRequest) -> str:
    return _badge(request, EXPIRED)


def _is_shown(request: HttpRequest, name: str) -> bool:
    return request.path.startswith("/admin/bugreports/bugreport/") and request.GET.get("queue", "") == name


def all_active(request: HttpRequest) -> bool:
    return _is_shown(request, "")


def untriaged_active(request: HttpRequest) -> bool:
    return _is_shown(request, UNTRIAGED)


def mine_active(request: HttpRequest) -> bool:
    return _is_shown(request, MINE)


def regressions_active(request: HttpRequest) -> bool:
    return _is_shown(request, REGRESSED)


def expiring_active(request: HttpRequest) -> bool:
    return _is_shown(request, EXPIRING)


def expired_active(request: HttpRequest) -> bool:
    return _is_shown(request, EXPIRED)
