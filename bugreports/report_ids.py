"""Ids of reports: `bug_20260212_130511_5f0c1d1e7ab2`, day and second of arrival, the trace id's start, chance."""

import re
import secrets
import uuid
from datetime import UTC, datetime

REPORT_ID = re.compile(r"bug_\d{8}_\d{6}_[A-Za-z0-9]{8,12}", re.ASCII)
_READABLE_CHARS = 8  # operators search logs for them


def is_report_id(text: str) -> bool:
    """True also for ids from older versions, which have no random suffix."""
    return REPORT_ID.fullmatch(text) is not None


def generate_report_id(trace_id: str, now: datetime) -> str:
    letters = re.sub(r"[^a-z0-9]", "", trace_id.lower(), flags=re.ASCII) + uuid.uuid4().hex
    return f"bug_{now.astimezone(UTC):%Y%m%d_%H%M%S}_{letters[:_READABLE_CHARS]}{secrets.token_hex(2)}"
