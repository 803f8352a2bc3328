"""Effects of one batch on rows, ledger and run, and row errors."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from assets.models import Asset
from backfills.models import BackfillBatch, BackfillChange, BackfillColumnLock
from backfills.rules import Skip
from backfills.run_control import pause
from jobs.batches import run_next_batch
from jobs.errors import LeaseLost
from jobs.runner import acquire_lease
from tests.factories.assets import make_asset, make_assets
from tests.support.backfills import DescribeByName, RewriteWords, registered, run_of, run_to_the_end, started

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rule() -> Iterator[None]:
    with registered(DescribeByName()):
        yield


def test_writes_values_ledger_batch_and_cursor() -> None:
    assets = make_assets(25)
    context = started(DescribeByName())
    step = run_next_batch(context, now=timezone.now())
    run = run_of(context)
    assert (step.state, step.rows) == ("running", 10)
    assert (run.cursor_pk, run.changed_rows, run.total_rows) == (assets[9].pk, 10, 25)
    assert Asset.objects.filter(creator_description_origin="backfill").count() == 10
    change = BackfillChange.objects.filter(run=run).first()
    assert (change.row_pk, change.field, change.before) == (assets[0].pk, "creator_description", None)
    assert change.after == f"about {assets[0].name}"
    [batch] = BackfillBatch.objects.filter(run=run)
    assert (batch.first_pk, batch.last_pk, batch.size, batch.changed, batch.attempts) == (
        assets[0].pk, assets[9].pk, 10, 10, 1,
    )  # fmt: skip


def test_touches_no_date_no_revision_and_leaves_no_history() -> None:
    make_assets(12)
    run_to_the_end(started(DescribeByName()))
    assert not Asset.objects.exclude(updated_at=F("created_at")).exists()
    assert not Asset.objects.exclude(revision=0).exists()
    assert Asset.history.count() == 0


def test_costs_the_same_queries_for_a_batch_of_any_size() -> None:
    make_assets(400)
    context = started(DescribeByName(), batch_size=5)
    run_next_batch(context, now=timezone.now())
    with CaptureQueriesContext(connection) as few:
        run_next_batch(context, now=timezone.now())
    context.models.run.objects.update(batch_size=9)
    with CaptureQueriesContext(connection) as more:
        run_next_batch(context, now=timezone.now())
    assert len(more) == len(few) <= 12


def test_skips_rows_created_after_the_start() -> None:
    make_assets(5)
    context = started(DescribeByName())
    late = make_asset()
    run_to_the_end(context)
    late.refresh_from_db()
    assert late.creator_description is None
    assert run_of(context).changed_rows == 5


def test_skips_rows_that_a_user_deleted_or_filled() -> None:
    assets = make_assets(25)
    context = started(DescribeByName())
    run_next_batch(context, now=timezone.now())
    assets[15].delete()
    Asset.objects.filter(pk=assets[16].pk).update(creator_description="my own words")
    assert run_to_the_end(context).state == "finished"
    run = run_of(context)
    assert (run.changed_rows, run.total_rows) == (23, 23)
    assert Asset.objects.get(pk=assets[16].pk).creator_description == "my own words"


def test_counts_rows_that_the_rule_skips() -> None:
    make_assets(6)
    make_assets(6, "S.POP.BAS", source="Other")
    rule = DescribeByName()
    rule.answer = lambda row: Skip("not ours") if row["source"] == "Other" else None
    context = started(rule)
    run_to_the_end(context)
    run = run_of(context)
    assert (run.changed_rows, run.skipped_rows, run.failed_rows) == (6, 6, 0)


def test_an_exception_of_the_rule_becomes_a_row_error() -> None:
    assets = make_assets(200)
    rule = DescribeByName()
    rule.answer = lambda row: {}[row["name"]] if row["name"] == assets[70].name else None
    context = started(rule, batch_size=100)
    assert run_to_the_end(context).state == "finished"
    run = run_of(context)
    assert (run.changed_rows, run.failed_rows) == (199, 1)
    [row_error] = run.row_errors.all()
    assert (row_error.row_pk, row_error.label) == (assets[70].pk, assets[70].name)
    assert row_error.reason == f"KeyError: '{assets[70].name}'"


@pytest.mark.parametrize("poison", ["x" * 501, "nul \x00 character"])
def test_a_row_that_the_database_rejects_is_found_by_bisection(poison: str) -> None:
    assets = make_assets(1100)
    rule = DescribeByName()
    rule.answer = lambda row: {"creator_description": poison} if row["name"] == assets[617].name else None
    context = started(rule, batch_size=1000)
    run_to_the_end(context)
    run = run_of(context)
    assert (run.changed_rows, run.failed_rows, run.state) == (1099, 1, "finished")
    assert run.row_errors.get().row_pk == assets[617].pk
    assert Asset.objects.filter(creator_description=None).count() == 1


def test_a_field_outside_the_rule_becomes_a_row_error() -> None:
    make_assets(1)
    rule = DescribeByName()
    rule.answer = lambda row: {"name": "L.CAS.ATL.999"}
    context = started(rule)
    run_to_the_end(context)
    assert run_of(context).row_errors.get().reason == "the rule must not write name"


def test_too_many_failures_stop_the_run(settings: Settings) -> None:
    settings.JOBS_MAX_FAILURE_SHARE = 0.2
    make_assets(200)
    rule = DescribeByName()
    rule.answer = lambda row: {}["nothing"] if row["pk"] % 2 else None
    context = started(rule)
    assert run_to_the_end(context).state == "failed"
    run = run_of(context)
    assert run.rows_done == 50
    assert run.error.startswith("25 of 50 rows failed, more than 20%")
    assert BackfillColumnLock.objects.filter(run=run).exists(), "a failed run keeps its columns until somebody decides"


def test_a_rule_of_another_version_stops_the_run() -> None:
    make_assets(15)
    rule = DescribeByName()
    context = started(rule)
    run_next_batch(context, now=timezone.now())
    rule.version = 2
    assert run_next_batch(context, now=timezone.now()).state == "failed"
    assert "version 2 now" in run_of(context).error


def test_values_of_every_column_type_are_written_and_restored_exactly() -> None:
    make_asset(description="old", tags=["a", "b"], rights={"x": [1, None]}, file_size=None)
    before = Asset.objects.values("description", "tags", "rights", "curated_at", "file_size").get()
    context = started(RewriteWords())
    run_to_the_end(context)
    asset = Asset.objects.get()
    assert asset.tags == ["a", "b", 'quoted "tag", {braces}']
    assert asset.rights == {"share": 0.1, "note": None, "text": 'ümlaut \\ "quote"'}
    assert (asset.file_size, asset.description) == (2**40, "new old")
    assert BackfillChange.objects.filter(run_id=context.run_pk).count() == 5
    context.models.run.objects.update(state="undoing")
    run_to_the_end(context)
    assert Asset.objects.values(*before).get() == before


def test_a_worker_without_the_lease_writes_nothing() -> None:
    make_assets(15)
    context = started(DescribeByName())
    now = timezone.now()
    first = acquire_lease(context, now=now)
    assert acquire_lease(context, now=now) is None, "leased"
    second = acquire_lease(context, now=now + timedelta(minutes=5))
    assert second, "the first lease has expired"
    with pytest.raises(LeaseLost):
        run_next_batch(context, now=now, token=first)
    assert run_next_batch(context, now=now, token=second).rows == 10


def test_a_pause_takes_effect_before_the_next_batch() -> None:
    make_assets(25)
    context = started(DescribeByName())
    token = acquire_lease(context, now=timezone.now())
    run_next_batch(context, now=timezone.now(), token=token)
    assert pause(context.run_pk, by="staff", now=timezone.now()).state == "pausing"
    assert run_next_batch(context, now=timezone.now(), token=token).state == "paused"
    assert run_of(context).changed_rows == 10


@pytest.mark.django_db(transaction=True)
def test_a_row_that_stays_locked_becomes_a_row_error(settings: Settings) -> None:
    settings.JOBS_LOCK_TIMEOUT_MS = 50
    assets = make_assets(5)
    context = started(DescribeByName())
    locked, done = threading.Event(), threading.Event()

    def lock_row() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM assets_asset WHERE id = %s FOR UPDATE", [assets[2].pk])
            locked.set()
            done.wait(20)
            cursor.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=lock_row)
    thread.start()
    try:
        assert locked.wait(10)
        run_to_the_end(context)
    finally:
        done.set()
        thread.join()
    run = run_of(context)
    assert (run.changed_rows, run.failed_rows) == (4, 1)
    assert run.row_errors.get().reason == "Row was locked by another transaction"
    assert run.batches.get().attempts == 4


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_process_every_row_once() -> None:
    make_assets(300)
    context = started(DescribeByName())
    barrier = threading.Barrier(4)
    errors: list[Any] = []

    def work() -> None:
        try:
            barrier.wait(10)
            run_to_the_end(context)  # without a lease: the lock of the run serializes them
        except Exception as error:  # shown by the test itself
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    run = run_of(context)
    assert (run.state, run.changed_rows, run.batches_done) == ("finished", 300, 30)
    assert BackfillChange.objects.filter(run=run).count() == 300
