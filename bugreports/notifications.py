"""What is told to the outside: written beside the change it tells of, sent by the clock, again until it arrives.

Nothing a reporter wrote leaves the house this way: a webhook gets ids and counts, a mail the lines its reader may see.
"""

import hashlib
import hmac
import json
import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F

from accounts.models import User
from bugreports.letters import send_letter
from bugreports.models import BugReport, Notification
from common.errors import RegistryError
from common.timestamps import format_timestamp
from outbound import FetchPolicy, UrlNotAllowed, check_url, post

log = logging.getLogger(__name__)

_KEEP_DAYS = 30
_SENT_AT_ONCE = 100
_SHOWN_IN_DIGEST = 20
_dice = random.SystemRandom()


def enqueue_webhook(event: str, report: BugReport, *, now: datetime) -> None:
    """In the transaction of the change. Writes nothing while no webhook is set."""
    if not (settings.BUGREPORTS_WEBHOOK_URL and settings.BUGREPORTS_WEBHOOK_SECRET):
        return
    body = {
        "event": f"bug_report.{event}",
        "report_id": report.report_id,
        "at": format_timestamp(now),
        "status": report.status,
        "priority": report.priority,
        "fingerprint": report.fingerprint,
        "occurrence_count": report.occurrence_count,
        "url": f"{settings.PUBLIC_BASE_URL}/api/bug-reports/{report.report_id}",
    }
    _write(Notification.Kind.WEBHOOK, f"{event}:{report.report_id}:{report.version}", body, now)


def enqueue_digests(now: datetime) -> int:
    """One for each user with active reports, once a day however often the clock strikes. How many have one."""
    if not settings.BUGREPORTS_DIGEST_EMAIL_ENABLED:
        return 0
    users = User.objects.filter(is_active=True, assigned_bug_reports__in=BugReport.objects.active()).distinct()
    for user in users:
        _write(Notification.Kind.DIGEST, f"digest:{now:%Y-%m-%d}:{user.pk}", {"user": user.pk}, now)
    return len(users)


def _write(kind: str, key: str, body: dict[str, Any], now: datetime) -> None:
    notice = Notification(kind=kind, key=key, body=body, written_at=now, next_attempt_at=now)
    Notification.objects.bulk_create([notice], ignore_conflicts=True)


def deliver_due(clock: Callable[[], datetime]) -> int:
    """Send what waits. A notice is leased before it is sent: a sender that dies is followed by another."""
    sent, started_at = 0, clock()
    waiting = Notification.objects.filter(status=Notification.Status.WAITING)
    due = waiting.filter(next_attempt_at__lte=started_at).order_by("next_attempt_at", "pk")
    for notice in list(due[:_SENT_AT_ONCE]):
        now = clock()
        lease = now + timedelta(seconds=settings.BUGREPORTS_NOTIFICATION_LEASE_SECONDS)
        mine = waiting.filter(pk=notice.pk, next_attempt_at__lte=now)
        if mine.update(next_attempt_at=lease, attempts=F("attempts") + 1):
            notice.attempts += 1
            sent += _send(notice, clock)
    return sent


def _send(notice: Notification, clock: Callable[[], datetime]) -> bool:
    now = clock()
    try:
        if notice.kind == Notification.Kind.WEBHOOK:
            _post(notice, now)
        else:
            _mail(notice)
    except (RegistryError, OSError) as error:
        _schedule_retry(notice, error, clock())
        return False
    Notification.objects.filter(pk=notice.pk).update(status=Notification.Status.SENT, sent_at=now, last_error="")
    return True


def _schedule_retry(notice: Notification, error: Exception, now: datetime) -> None:
    reason = error.message if isinstance(error, RegistryError) else type(error).__name__
    is_over = notice.attempts >= settings.BUGREPORTS_NOTIFICATION_ATTEMPTS or isinstance(error, UrlNotAllowed)
    delay = settings.BUGREPORTS_NOTIFICATION_RETRY_SECONDS * 4 ** (notice.attempts - 1) * _dice.uniform(0.8, 1.2)
    delay = max(delay, min(getattr(error, "retry_after_seconds", None) or 0, 3600))
    Notification.objects.filter(pk=notice.pk).update(
        status=Notification.Status.FAILED if is_over else Notification.Status.WAITING,
        next_attempt_at=now + timedelta(seconds=delay),
        last_error=reason[:300],
    )
    log.warning("notice not sent", extra={"notice": notice.pk, "attempt": notice.attempts, "is_given_up": is_over})


def _post(notice: Notification, now: datetime) -> None:
    url = settings.BUGREPORTS_WEBHOOK_URL
    body = json.dumps(notice.body, sort_keys=True, separators=(",", ":")).encode()
    moment = str(int(now.timestamp()))
    host = check_url(url).host
    headers = {
        "Content-Type": "application/json",
        "X-Registry-Event": notice.body["event"],
        "X-Registry-Delivery": str(notice.pk),  # the same each time, so that a receiver knows what it has seen
        "X-Registry-Timestamp": moment,
        "X-Registry-Signature": f"sha256={sign(moment, body, settings.BUGREPORTS_WEBHOOK_SECRET)}",
    }
    post(url, body, headers, FetchPolicy(is_allowed_host=lambda name: name == host, total_seconds=10, accept="*/*"))


def sign(moment: str, body: bytes, secret: str) -> str:
    """HMAC-SHA-256 over `moment.body`, in hex."""
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


def _mail(notice: Notification) -> None:
    user = User.objects.filter(pk=notice.body["user"], is_active=True).first()
    reports = list(BugReport.objects.assigned_to(user).order_by("submitted_at")) if user else []
    if not user or not reports:
        return  # done meanwhile: there is nothing to tell
    lines = [
        f"{report.report_id}  {report.status}  {report.priority or 'no priority'}  {report.first_line[:80]}"
        for report in reports[:_SHOWN_IN_DIGEST]
    ]
    if len(reports) > _SHOWN_IN_DIGEST:
        lines.append(f"... and {len(reports) - _SHOWN_IN_DIGEST} more")
    lines += ["", f"{settings.PUBLIC_BASE_URL}/admin/bugreports/bugreport/?queue=mine"]
    subject = f"{len(reports)} bug report{'s' if len(reports) > 1 else ''} assigned to you"
    send_letter(to=user.email, subject=subject, lines=lines)


def delete_old_notifications(now: datetime) -> int:
    """What was sent or given up long ago."""
    old = Notification.objects.exclude(status=Notification.Status.WAITING)
    return old.filter(written_at__lt=now - timedelta(days=_KEEP_DAYS)).delete()[0]
