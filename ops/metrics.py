"""The metrics of the service as a whole, from the registered sources."""

from datetime import datetime
from typing import Any

from django.db import connection

from common.metrics import collect_metrics
from common.timestamps import format_timestamp


def usage_metrics(now: datetime) -> dict[str, Any]:
    """{usage: {assets: {total, todayUploads, weeklyUploads, byLayer}, users: {total, active}}, system: {...}}."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        database_bytes = cursor.fetchone()[0]
    return {
        "usage": {"assets": collect_metrics("assets", now), "users": collect_metrics("users", now)},
        "system": {"databaseBytes": database_bytes, "timestamp": format_timestamp(now)},
    }
