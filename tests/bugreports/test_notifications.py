"""Webhook and mail: signed, delivered once, retried; nothing is sent if they are not configured."""

import json
import smtplib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from bugreports.audit_log import Actor
from bugreports.models import BugReport
from bugreports.notifications import enqueue_digests, sign
from bugreports.tasks import enqueue_daily_digests
from bugreports.triage import resolve
from common.leases import acquire_lease
from notifications.delivery import deliver_due
from notifications.models import Notification
from notifications.outbox import delete_old_notifications
from notifications.tasks import deliver_notifications
from tests.factories.accounts import AdminFactory, UserFactory, bearer
from tests.factories.bugreports import BugReportFactory, NotificationFactory
from tests.support.bad_server import bad_server
from tests.support.bug_report_payloads import crash, full, small
from tests.support.source_server import SourceServer

pytestmark = pytest.mark.django_db
SECRET = "a-secret-of-the-tests"


@pytest.fixture(scope="module")
def running_server() -> Iterator[SourceServer]:
    with bad_server() as server:
        yield server


@pytest.fixture
def receiver(running_server: SourceServer, settings: Settings) -> SourceServer:
    for name, value in running_server.settings.items():
        setattr(settings, name, value)
    settings.BUGREPORTS_WEBHOOK_URL = running_server.serve("/hook", b"{}", content_type="application/json")
    settings.BUGREPORTS_WEBHOOK_SECRET = SECRET
    running_server.requests.clear()
    return running_server


def later(seconds: float) -> Any:
    moment = timezone.now() + timedelta(seconds=seconds)
    return lambda: moment


def submit(document: dict) -> None:
    api = APIClient(headers={"Authorization": bearer(UserFactory())})
    assert api.post("/api/bug-reports", document, format="json").status_code == 201


def test_nothing_is_sent_without_a_webhook(settings: Settings) -> None:
    settings.BUGREPORTS_WEBHOOK_URL = "https://hook.example"  # without a secret nothing is signed, so nothing sent
    submit(small())
    BugReportFactory(assignee=AdminFactory())
    enqueue_daily_digests()
    assert not Notification.objects.exists()


def test_a_new_report_is_sent_signed_and_without_user_text(receiver: SourceServer) -> None:
    submit(full(description="Only for staff to read"))
    assert receiver.requests == []  # nobody who submits waits for it
    deliver_notifications()
    [request] = receiver.requests
    body = json.loads(request.body)
    report = BugReport.objects.get()
    assert (body["event"], body["report_id"], body["occurrence_count"]) == ("bug_report.submitted", report.report_id, 1)
    assert b"Only for staff" not in request.body
    assert b"studio.example" not in request.body
    moment = request.headers["x-registry-timestamp"]
    assert request.headers["x-registry-signature"] == f"sha256={sign(moment, request.body, SECRET)}"
    assert request.headers["x-registry-delivery"] == str(Notification.objects.get().pk)
    deliver_due(later(3600))
    assert len(receiver.requests) == 1


def test_a_regression_is_sent(receiver: SourceServer) -> None:
    submit(crash())
    resolve([BugReport.objects.get().report_id], by=Actor("x"), now=timezone.now())
    submit(crash())
    deliver_due(timezone.now)
    assert sorted(json.loads(request.body)["event"] for request in receiver.requests) == [
        "bug_report.regressed", "bug_report.submitted", "bug_report.submitted",
    ]  # fmt: skip


def test_a_failing_receiver_is_retried_until_the_last_attempt(receiver: SourceServer, settings: Settings) -> None:
    settings.NOTIFICATIONS_ATTEMPTS = 3
    receiver.serve("/hook", b"", status=500)
    submit(small())
    assert deliver_due(timezone.now) == 0
    notification = Notification.objects.get()
    assert (notification.status, notification.attempts) == ("waiting", 1)
    assert "status 500" in notification.last_error
    assert notification.next_attempt_at > timezone.now()
    deliver_due(timezone.now)
    assert len(receiver.requests) == 1  # not yet
    receiver.serve("/hook", b"", status=429, headers={"Retry-After": "1800"})
    deliver_due(later(60))
    notification.refresh_from_db()
    assert notification.next_attempt_at > timezone.now() + timedelta(seconds=1700)
    deliver_due(later(4000))
    notification.refresh_from_db()
    assert (notification.status, notification.attempts, len(receiver.requests)) == ("failed", 3, 3)


def test_a_private_ip_gets_no_request(receiver: SourceServer, settings: Settings) -> None:
    settings.BUGREPORTS_WEBHOOK_URL = "https://169.254.169.254/latest"
    submit(small())
    deliver_due(timezone.now)
    assert Notification.objects.get().status == "failed"


def test_after_the_lease_of_a_dead_worker_another_worker_delivers(receiver: SourceServer) -> None:
    submit(small())
    now = timezone.now()
    acquire_lease(Notification.objects.all(), now=now, seconds=60, attempts=1)
    assert deliver_due(lambda: now) == 0
    assert deliver_due(later(61)) == 1


def test_each_assignee_gets_one_digest_a_day(settings: Settings) -> None:
    settings.BUGREPORTS_DIGEST_EMAIL_ENABLED = True
    owner, idle = AdminFactory(email="owner@studio.example"), AdminFactory()
    mine = BugReportFactory(assignee=owner, priority="high", description="The shelf is empty\nsecond line")
    BugReportFactory(assignee=owner, status="resolved")
    BugReportFactory(assignee=AdminFactory(is_active=False))
    now = timezone.now()
    assert enqueue_digests(now) == 1
    enqueue_digests(now)
    deliver_due(timezone.now)
    [letter] = mail.outbox
    assert (letter.to, letter.subject) == (["owner@studio.example"], "1 bug report assigned to you")
    assert mine.report_id in letter.body
    assert "The shelf is empty" in letter.body
    assert idle.email not in letter.body
    enqueue_digests(now + timedelta(days=1))
    deliver_due(later(86_500))
    assert len(mail.outbox) == 2


def test_an_empty_digest_is_not_sent(settings: Settings) -> None:
    settings.BUGREPORTS_DIGEST_EMAIL_ENABLED = True
    BugReportFactory(assignee=AdminFactory())
    enqueue_digests(timezone.now())
    BugReport.objects.update(assignee=None)
    assert deliver_due(timezone.now) == 1
    assert mail.outbox == []


def test_mail_is_retried_while_the_server_is_unavailable(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.BUGREPORTS_DIGEST_EMAIL_ENABLED = True
    BugReportFactory(assignee=AdminFactory())
    enqueue_digests(timezone.now())

    def fail(*args: Any, **kwargs: Any) -> None:
        raise smtplib.SMTPServerDisconnected("secret text of the server")

    with monkeypatch.context() as patched:
        patched.setattr("bugreports.notifications.send_mail", fail)
        assert deliver_due(timezone.now) == 0
    assert Notification.objects.get().last_error == "SMTPServerDisconnected"
    assert deliver_due(later(60)) == 1


def test_old_notifications_are_deleted(settings: Settings) -> None:
    NotificationFactory(status="sent")
    NotificationFactory(status="waiting")
    NotificationFactory(status="sent", written_at=timezone.now())
    assert delete_old_notifications(timezone.now()) == 1


def test_the_signature_is_a_plain_hmac() -> None:
    assert sign("1700000000", b"{}", "key") == "9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
