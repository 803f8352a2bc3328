"""Mail, handed to the mail server of ours that the settings name; the only module that does."""

from django.conf import settings
from django.core.mail import send_mail


def send_letter(*, to: str, subject: str, lines: list[str]) -> None:
    """Raises OSError (all that mail servers do wrong is one)."""
    send_mail(subject, "\n".join(lines), settings.DEFAULT_FROM_EMAIL, [to])
