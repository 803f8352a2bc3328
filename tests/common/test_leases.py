"""Leases, on a table of their own."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import connection, models

from common.leases import Lease, LeaseFields, acquire_lease, extend_lease, release_expired_leases, release_lease

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


class Job(Lease):
    state = models.CharField(max_length=10, default="waiting")

    class Meta:
        app_label = "tests"
        apps = Apps()  # keeps the model out of the project


class Delivery(models.Model):
    worker = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        app_label = "tests"
        apps = Apps()

    def __str__(self) -> str:
        return str(self.worker)


@pytest.fixture
def rows() -> Any:
    with connection.schema_editor() as editor:
        editor.create_model(Job)
    return Job.objects.filter(pk=Job.objects.create().pk)


def test_one_of_two_workers_gets_the_lease(rows):
    token = acquire_lease(rows.filter(state="waiting"), now=NOW, seconds=60, state="running")
    assert acquire_lease(rows, now=NOW, seconds=60) is None
    job = rows.get()
    assert (job.lease_token, job.lease_expires_at, job.state) == (token, NOW + timedelta(seconds=60), "running")


def test_does_not_lease_a_row_in_another_state(rows):
    assert acquire_lease(rows.filter(state="running"), now=NOW, seconds=60) is None
    assert rows.get().lease_token is None


def test_only_the_owner_extends_and_releases(rows):
    old = acquire_lease(rows, now=NOW, seconds=60)
    later = NOW + timedelta(seconds=60)
    token = acquire_lease(rows, now=later, seconds=60)
    assert old
    assert token
    assert not extend_lease(rows, old, now=later, seconds=90)
    assert not release_lease(rows, old, state="done")
    assert extend_lease(rows, token, now=later, seconds=90, state="running")
    assert rows.get().lease_expires_at == later + timedelta(seconds=90)
    assert release_lease(rows, token, state="done")
    assert (rows.get().lease_token, rows.get().lease_expires_at, rows.get().state) == (None, None, "done")


def test_releases_expired_leases_only(rows):
    acquire_lease(rows, now=NOW, seconds=60)
    assert release_expired_leases(rows, now=NOW + timedelta(seconds=59), max_seconds=120, state="waiting") == 0
    assert release_expired_leases(rows, now=NOW + timedelta(seconds=60), max_seconds=120, state="again") == 1
    assert (rows.get().lease_token, rows.get().state) == (None, "again")
    assert release_expired_leases(rows, now=NOW + timedelta(days=1), max_seconds=120) == 0


def test_ignores_a_lease_written_by_a_host_whose_time_is_ahead(rows):
    acquire_lease(rows, now=NOW + timedelta(days=1), seconds=60)
    assert acquire_lease(rows, now=NOW, seconds=60)


def test_accepts_other_column_names(rows):
    with connection.schema_editor() as editor:
        editor.create_model(Delivery)
    rows = Delivery.objects.filter(pk=Delivery.objects.create().pk)
    fields = LeaseFields(token="worker", expires_at="leased_until")
    token = acquire_lease(rows, now=NOW, seconds=60, fields=fields)
    assert (rows.get().worker, rows.get().leased_until) == (token, NOW + timedelta(seconds=60))
    assert token
    assert release_lease(rows, token, fields=fields)
    assert (rows.get().worker, rows.get().leased_until) == (None, None)
