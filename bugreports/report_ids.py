"""Report ids such as `bug_20260212_130511_5f0c1d1e7ab2`: UTC time, start of the trace id, four random digits."""

import re
import secrets
import uuid
from datetime import UTC, datetime

REPORT_ID = re.compile(r"bug_\d{8}_\d{6}_[A-Za-z0-9]{8,12}", re.ASCII)
_READABLE_CHARS = 8  # operators search the logs for these


def is_report_id(text: str) -> bool:
    """Accept also ids of earlier releases, which have no random digits."""
    return REPORT_ID.fullmatch(text) is not None


def generate_report_id(trace_id: str, now: datetime) -> str:
    letters = re.sub(r"[^a-z0-9]", "", trace_id.lower(), flags=re.ASCII) + uuid.uuid4().hex
    return f"bug_{now.astimezone(UTC):%Y%m%d_%H%M%S}_{letters[:_READABLE_CHARS]}{secrets.token_hex(2)}"
