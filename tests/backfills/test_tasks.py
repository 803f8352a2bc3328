"""Tasks: slices, throttled runs and stalled runs."""

from datetime import timedelta
from uuid import uuid4

import pytest
from celery import current_app
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from backfills import queueing, run_control, tasks
from backfills.models import BackfillRun
from backfills.progress import run_progress
from backfills.run_control import CONTROL
from jobs import runner
from jobs.errors import StalePlan
from jobs.runner import acquire_lease
from jobs.worker import run_slice
from tests.factories.assets import make_assets
from tests.support.backfills import BY, DescribeByName, registered, run_of, started

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Collect the sent messages instead of queueing them."""
    messages: list[tuple[str, int]] = []

    def keep(task: object, args: tuple[int, ...] = (), kwargs: object = None, **options: object) -> None:
        messages.append((task.name.rpartition(".")[2], args[0]))

    monkeypatch.setattr(current_app.Task, "apply_async", keep)
    return messages


def test_a_slice_sends_the_next_slice(settings: Settings, sent: list[tuple[str, int]]) -> None:
    settings.JOBS_SLICE_SECONDS = 0.0
    make_assets(15)
    with registered(DescribeByName()) as rule:
        context = started(rule)
        tasks.continue_run(context.run_pk)
        assert sent == [("continue_run", context.run_pk)]
        assert run_of(context).lease_token is None
        settings.JOBS_SLICE_SECONDS = 30.0
        tasks.continue_run(context.run_pk)
        assert run_of(context).state == "finished"


def test_a_throttled_run_is_retried_and_a_lost_message_is_sent_again(
    settings: Settings, sent: list[tuple[str, int]]
) -> None:
    make_assets(15)
    with registered(DescribeByName()) as rule:
        context = started(rule)
        run_control.pause_all(by=BY, reason="release day", now=timezone.now())
        tasks.continue_run(context.run_pk)
        assert run_of(context).wait_reason == f"All runs were paused by {BY}: release day"
        assert sent.pop() == ("continue_run", context.run_pk)
        tasks.requeue_stalled_runs()
        assert not sent, "its message is still valid"
        BackfillRun.objects.update(next_check_at=timezone.now() - timedelta(seconds=1))
        tasks.requeue_stalled_runs()
        assert sent.pop() == ("continue_run", context.run_pk)


def test_the_run_of_a_dead_worker_is_requeued_when_its_lease_has_expired(sent: list[tuple[str, int]]) -> None:
    make_assets(15)
    with registered(DescribeByName()) as rule:
        context = started(rule)
        acquire_lease(context, now=timezone.now())
        tasks.requeue_stalled_runs()
        assert not sent
        BackfillRun.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        tasks.requeue_stalled_runs()
        assert sent == [("continue_run", context.run_pk)]
        tasks.continue_run(context.run_pk)
        assert run_of(context).state == "finished"


def test_a_plan_whose_message_was_lost_is_requeued(sent: list[tuple[str, int]]) -> None:
    make_assets(2)
    with registered(DescribeByName()) as rule:
        facts = {"parameters": {}, "by": BY, "reason": "a test", "now": timezone.now() - timedelta(minutes=5)}
        pk = queueing.request_plan(rule.name, **facts)
        tasks.requeue_stalled_runs()
        assert sent == [("plan_backfill", pk)]
        tasks.plan_backfill(pk)
        assert BackfillRun.objects.get(pk=pk).plan["outcomes"] == {"change": 2}
        tasks.requeue_stalled_runs()
        assert len(sent) == 1


def planned_run(rule: DescribeByName) -> BackfillRun:
    facts = {"parameters": {}, "by": BY, "reason": "a test", "now": timezone.now() - timedelta(minutes=5)}
    pk = queueing.request_plan(rule.name, **facts)
    tasks.plan_backfill(pk)
    return BackfillRun.objects.get(pk=pk)


def test_a_start_reads_no_row_in_the_request_and_a_worker_checks_the_rows(sent: list[tuple[str, int]]) -> None:
    make_assets(15)
    with registered(DescribeByName()) as rule:
        run = planned_run(rule)
        assert (run.phase, run.checked_rows, run.total_rows) == ("planned", 15, 15)
        with CaptureQueriesContext(connection) as queries:
            queueing.start(run.pk, by=BY, now=timezone.now(), plan_hash=run.plan_hash)
        assert not [query["sql"] for query in queries if "assets_asset" in query["sql"]]
        run.refresh_from_db()
        assert (run.phase, run.state, run.checked_rows) == ("starting", "planned", 0)
        assert run_progress(run, timezone.now())["waitReason"] == "A worker checks the rows before the start"
        sent.clear()
        tasks.start_backfill(run.pk)
        run.refresh_from_db()
        assert (run.phase, run.checked_rows, run.lease_token) == ("running", 15, None)
        assert run.events.get(event_type="running").actor == BY
        assert sent == [("continue_run", run.pk)]
        tasks.start_backfill(run.pk)  # sent twice
        assert len(sent) == 1
        tasks.continue_run(run.pk)
        assert BackfillRun.objects.get(pk=run.pk).changed_rows == 15


def test_a_stale_plan_is_the_error_of_the_run_and_can_be_made_again(sent: list[tuple[str, int]]) -> None:
    make_assets(3)
    with registered(DescribeByName()) as rule:
        run = planned_run(rule)
        with pytest.raises(StalePlan):
            queueing.start(run.pk, by=BY, now=timezone.now(), plan_hash="another")
        make_assets(1)
        queueing.start(run.pk, by=BY, now=timezone.now(), plan_hash=run.plan_hash)
        sent.clear()
        tasks.start_backfill(run.pk)
        run.refresh_from_db()
        assert (run.phase, sent) == ("planned", [])
        assert run.error.startswith("The rows have changed since the plan was made")
        queueing.recreate_plan(run.pk)
        tasks.plan_backfill(run.pk)
        run.refresh_from_db()
        queueing.start(run.pk, by=BY, now=timezone.now(), plan_hash=run.plan_hash)
        tasks.start_backfill(run.pk)
        run.refresh_from_db()
        assert (run.state, run.error) == ("running", "")


def test_one_worker_checks_a_run_and_a_lost_start_is_requeued(sent: list[tuple[str, int]]) -> None:
    make_assets(3)
    with registered(DescribeByName()) as rule:
        run = planned_run(rule)
        queueing.start(run.pk, by=BY, now=timezone.now() - timedelta(minutes=5), plan_hash=run.plan_hash)
        BackfillRun.objects.update(lease_token=uuid4(), lease_expires_at=timezone.now() + timedelta(seconds=20))
        sent.clear()
        tasks.start_backfill(run.pk)
        tasks.requeue_stalled_runs()
        assert (BackfillRun.objects.get().phase, sent) == ("starting", [])
        BackfillRun.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))  # the worker has died
        tasks.requeue_stalled_runs()
        assert sent == [("start_backfill", run.pk)]
        tasks.start_backfill(run.pk)
        assert BackfillRun.objects.get().state == "running"


def test_a_start_can_be_cancelled(sent: list[tuple[str, int]]) -> None:
    make_assets(3)
    with registered(DescribeByName()) as rule:
        run = planned_run(rule)
        queueing.start(run.pk, by=BY, now=timezone.now(), plan_hash=run.plan_hash)
        run_control.cancel(run.pk, by=BY, now=timezone.now())
        sent.clear()
        tasks.start_backfill(run.pk)
        assert (BackfillRun.objects.get().phase, sent) == ("cancelled", [])


def test_a_rule_with_an_invalid_query_fails_the_run_with_the_error(sent: list[tuple[str, int]]) -> None:
    make_assets(15)
    with registered(DescribeByName()) as rule:
        context = started(rule)
        rule.filter_queryset = lambda rows, parameters: rows.filter(no_such_column=1)
        tasks.continue_run(context.run_pk)
        run = run_of(context)
        assert (run.state, run.lease_token) == ("failed", None)
        assert run.error.startswith("FieldError: Cannot resolve keyword 'no_such_column'")
        del rule.filter_queryset
        run_control.resume(context.run_pk, by=BY, now=timezone.now())
        tasks.continue_run(context.run_pk)
        assert run_of(context).state == "finished"


@pytest.mark.django_db(transaction=True)
def test_an_unreachable_database_is_the_wait_reason_and_the_schedule_continues_the_run(
    settings: Settings, sent: list[tuple[str, int]]
) -> None:
    make_assets(15)
    settings.JOBS_MAX_RECONNECTS = 1

    def fail(*args: object, **kwargs: object) -> None:
        raise OperationalError("could not extend file: No space left on device")

    with registered(DescribeByName()) as rule:
        context = started(rule)
        assert run_slice(CONTROL, context.run_pk, clock=timezone.now, run_batch=fail) is None
        run = run_of(context)
        assert (run.state, run.wait_reason) == (
            "running", "The database is unavailable: could not extend file: No space left on device",
        )  # fmt: skip
        BackfillRun.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        tasks.continue_run(context.run_pk)
        assert run_of(context).state == "finished"


def test_a_lease_from_a_machine_with_a_wrong_time_does_not_block_the_run(sent: list[tuple[str, int]]) -> None:
    make_assets(15)
    with registered(DescribeByName()) as rule:
        context = started(rule)
        tomorrow = timezone.now() + timedelta(days=1)
        ahead = acquire_lease(context, now=tomorrow)
        runner.release_lease(context, ahead, next_check_at=tomorrow)
        assert acquire_lease(context, now=tomorrow), "the lease of a machine whose time was wrong"
        tasks.requeue_stalled_runs()
        assert sent == [("continue_run", context.run_pk)]
        tasks.continue_run(context.run_pk)
        assert run_of(context).state == "finished"
