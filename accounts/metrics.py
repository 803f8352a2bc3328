"""Metrics of users."""

from datetime import datetime

from django.db.models import Count

from accounts.models import User


def user_metrics(now: datetime) -> dict[str, int]:
    """Return {total, active}. `now` is unused: all sources of metrics take it."""
    counts = dict(User.objects.order_by().values_list("is_active").annotate(Count("pk")))
    return {"total": sum(counts.values()), "active": counts.get(True, 0)}
