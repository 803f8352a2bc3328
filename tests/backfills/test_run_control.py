"""Control of runs: allowed and rejected actions."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from assets.models import Asset
from backfills import run_control
from backfills.models import BackfillGlobalPause, BackfillRun
from backfills.progress import run_progress
from common.errors import Conflict, InvalidInput, NotFound
from jobs.batches import run_next_batch
from jobs.errors import ColumnLocked, TransitionNotAllowed
from jobs.progress import events_after, throughput, wait_reason
from jobs.runner import acquire_lease
from tests.factories.assets import make_assets
from tests.support.backfills import BY, DescribeByName, registered, run_of, run_to_the_end, started

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rule() -> Iterator[DescribeByName]:
    with registered(DescribeByName()) as rule:
        yield rule


def _by() -> dict[str, object]:
    return {"by": BY, "now": timezone.now()}


def test_a_run_without_a_lease_pauses_at_once_and_resumes_at_its_cursor() -> None:
    make_assets(25)
    context = started(DescribeByName())
    run_next_batch(context, now=timezone.now())
    assert run_control.pause(context.run_pk, **_by()).state == "paused"
    assert run_next_batch(context, now=timezone.now()).state == "paused"
    run_control.resume(context.run_pk, **_by())
    run_to_the_end(context)
    run = run_of(context)
    assert (run.state, run.changed_rows, run.batches_done) == ("finished", 25, 3)
    kinds = [event["type"] for event in events_after(run, 0)]
    assert [kind for kind in kinds if kind != "progress"] == ["planned", "running", "paused", "running", "finished"]


def test_force_unlock_completes_a_pause() -> None:
    make_assets(25)
    context = started(DescribeByName())
    acquire_lease(context, now=timezone.now())  # and this worker dies
    assert run_control.pause(context.run_pk, **_by()).state == "pausing"
    assert run_control.force_unlock(context.run_pk, **_by()).state == "paused"
    run_control.resume(context.run_pk, **_by())
    assert run_control.cancel(context.run_pk, **_by()).state == "cancelled"


def test_force_unlock_releases_the_lease_of_a_hanging_worker() -> None:
    make_assets(25)
    context = started(DescribeByName())
    acquire_lease(context, now=timezone.now())
    run_control.force_unlock(context.run_pk, **_by())
    assert acquire_lease(context, now=timezone.now())
    run_control.pause(context.run_pk, **_by())
    run_control.force_unlock(context.run_pk, **_by())
    with pytest.raises(TransitionNotAllowed, match="no worker can have its lease"):
        run_control.force_unlock(context.run_pk, **_by())


def test_cancelled_columns_are_free_again_and_values_stay_until_undone() -> None:
    make_assets(25)
    context = started(DescribeByName())
    run_next_batch(context, now=timezone.now())
    run_control.cancel(context.run_pk, **_by())
    assert Asset.objects.exclude(creator_description=None).count() == 10
    second = started(DescribeByName())
    assert run_of(second).total_rows == 15


def test_pace_is_adjusted_while_running_within_bounds() -> None:
    make_assets(25)
    context = started(DescribeByName())
    run_next_batch(context, now=timezone.now())
    run_control.adjust(context.run_pk, batch_size=3, sleep_ratio=2, **_by())
    assert run_next_batch(context, now=timezone.now()).rows == 3
    for data in ({"batch_size": 0, "sleep_ratio": 0}, {"batch_size": 10, "sleep_ratio": 99}):
        with pytest.raises(InvalidInput):
            run_control.adjust(context.run_pk, **data, **_by())


def test_finalise_needs_all_rows_without_errors_and_with_values(rule: DescribeByName) -> None:
    assets = make_assets(60)
    rule.answer = lambda row: {}["nothing"] if row["pk"] == assets[3].pk else None
    context = started(rule, batch_size=60)
    with pytest.raises(TransitionNotAllowed, match="pause or cancel"):
        run_control.finalise(context.run_pk, **_by())
    run_to_the_end(context)
    with pytest.raises(TransitionNotAllowed, match="1 rows have failed"):
        run_control.finalise(context.run_pk, **_by())
    [row_error] = run_of(context).row_errors.all()
    again = run_control.retry_row(row_error.pk, **_by())
    assert (again.resolved_at, again.attempts, again.reason) == (None, 2, "KeyError: 'nothing'")
    rule.answer = lambda row: None  # corrected
    done = run_control.retry_row(row_error.pk, **_by())
    assert done.resolution == f"written, by {BY}"
    assert Asset.objects.get(pk=assets[3].pk).creator_description == f"about {assets[3].name}"
    # A user emptied one that the run filled: their decision. One that was never filled: left over.
    Asset.objects.filter(pk=assets[5].pk).update(creator_description=None, creator_description_origin="")
    run_of(context).changes.filter(row_pk=assets[9].pk).delete()
    Asset.objects.filter(pk=assets[9].pk).update(creator_description=None, creator_description_origin="")
    with pytest.raises(TransitionNotAllowed, match=f"1 rows have no value yet, such as {assets[9].pk}"):
        run_control.finalise(context.run_pk, **_by())
    Asset.objects.filter(pk=assets[9].pk).update(creator_description="given by hand")
    assert run_control.finalise(context.run_pk, **_by()).state == "finalised"


def test_a_failed_row_that_a_user_corrected_is_resolved_without_a_change(rule: DescribeByName) -> None:
    assets = make_assets(3)
    rule.answer = lambda row: {}["nothing"] if row["pk"] == assets[0].pk else None
    context = started(rule)
    run_to_the_end(context)
    Asset.objects.filter(pk=assets[0].pk).update(creator_description="by hand")
    done = run_control.retry_row(run_of(context).row_errors.get().pk, **_by())
    assert done.resolution == "needs no value any more"
    assert (run_of(context).failed_rows, run_of(context).skipped_rows) == (0, 1)


def test_a_failed_run_resumes_after_its_rows_are_corrected(rule: DescribeByName) -> None:
    make_assets(120)
    rule.answer = lambda row: {}["nothing"]
    context = started(rule, batch_size=60)
    run_to_the_end(context)
    assert run_of(context).state == "failed"
    rule.answer = lambda row: None
    for row_error in run_of(context).row_errors.unresolved():
        run_control.retry_row(row_error.pk, **_by())
    run_control.resume(context.run_pk, **_by())
    run_to_the_end(context)
    run = run_of(context)
    assert (run.state, run.changed_rows, run.failed_rows, run.error) == ("finished", 120, 0, "")


def test_there_is_one_global_pause_and_it_needs_a_reason() -> None:
    with pytest.raises(InvalidInput):
        run_control.pause_all(reason=" ", **_by())
    run_control.pause_all(reason="release day", **_by())
    with pytest.raises(Conflict):
        run_control.pause_all(reason="again", **_by())
    assert BackfillGlobalPause.objects.count() == 1
    assert run_control.resume_all()
    assert not run_control.resume_all()


def test_unknown_runs_and_row_errors_are_not_found() -> None:
    for action in (
        run_control.pause,
        run_control.resume,
        run_control.cancel,
        run_control.force_unlock,
        run_control.retry_row,
    ):
        with pytest.raises(NotFound):
            action(404, **_by())


def test_the_wait_reason_names_each_cause() -> None:
    make_assets(25)
    context = started(DescribeByName())
    now = timezone.now()
    late = now + timedelta(minutes=5)
    assert wait_reason(run_of(context), now, None) == ""
    assert "No worker has picked up this run" in wait_reason(run_of(context), late, None)
    acquire_lease(context, now=now)
    assert "No heartbeat from the worker" in wait_reason(run_of(context), late, None)
    BackfillRun.objects.update(wait_reason="4 sessions wait for a lock; the limit is 3")
    assert wait_reason(run_of(context), now, None).startswith("4 sessions wait")
    run_control.pause_all(by=BY, reason="release day", now=now)
    assert (
        wait_reason(run_of(context), now, BackfillGlobalPause.objects.get())
        == f"All runs were paused by {BY}: release day"
    )


def test_progress_and_chart_have_equal_totals() -> None:
    make_assets(25)
    context = started(DescribeByName())
    run_to_the_end(context)
    run = run_of(context)
    progress = run_progress(run, timezone.now())
    assert (progress["rowsDone"], progress["rowsTotal"], progress["etaSeconds"]) == (25, 25, None)
    assert sum(bar["rows"] for bar in throughput(run)) == 25
    run_control.begin_undo(run.pk, **_by())
    run_next_batch(context, now=timezone.now())
    half = run_progress(run_of(context), timezone.now())
    assert (half["rowsDone"], half["rowsTotal"]) == (10, 25)


@pytest.mark.django_db(transaction=True)
def test_one_of_many_concurrent_starts_succeeds_and_the_others_name_it() -> None:
    make_assets(20)
    outcomes: list[str] = []
    barrier = threading.Barrier(5)

    def start() -> None:
        try:
            barrier.wait(10)
            started(DescribeByName())
            outcomes.append("started")
        except ColumnLocked as error:
            outcomes.append(error.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("started") == 1
    assert all("tests.describe, running" in text for text in outcomes if text != "started")
