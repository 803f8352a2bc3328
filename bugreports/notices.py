"""What is told to the outside: written beside the change it tells of, sent by the clock."""

from datetime import datetime

from bugreports.models import BugReport


def announce(event: str, report: BugReport, *, now: datetime) -> None:
    """Placeholder until the webhook is here."""
