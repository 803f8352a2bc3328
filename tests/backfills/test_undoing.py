"""An undo restores every unchanged row, column by column, and keeps edits by users."""

from collections.abc import Iterator

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.models import Asset
from backfills.models import BackfillChange, BackfillColumnLock
from backfills.run_control import begin_undo, cancel, finalise, pause, reopen
from jobs.batches import run_next_batch
from jobs.errors import ColumnLocked, TransitionNotAllowed
from tests.factories.assets import make_assets
from tests.support.backfills import (
    BY,
    DescribeByName,
    RewriteWords,
    registered,
    run_of,
    run_to_the_end,
    started,
    table_hash,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rules() -> Iterator[None]:
    with registered(DescribeByName()), registered(RewriteWords()):
        yield


def _undo(context: object) -> None:
    begin_undo(context.run_pk, by=BY, now=timezone.now())
    run_to_the_end(context)


@pytest.mark.parametrize("rule", [DescribeByName(), RewriteWords()], ids=lambda rule: rule.name)
def test_an_undo_restores_every_column(rule: object) -> None:
    make_assets(37, tags=["one"], rights={"share": 1.50})
    before = table_hash()
    context = started(rule)
    run_to_the_end(context)
    assert table_hash() != before
    _undo(context)
    assert table_hash() == before
    assert run_of(context).state == "undone"
    assert not BackfillColumnLock.objects.exists()


def test_values_of_users_stay_and_are_listed_as_conflicts() -> None:
    assets = make_assets(20)
    context = started(DescribeByName())
    run_to_the_end(context)
    Asset.objects.filter(pk=assets[3].pk).update(creator_description="mine", creator_description_origin="")
    Asset.objects.filter(pk=assets[4].pk).update(creator_description_origin="")  # the same words, made a user's
    Asset.objects.filter(pk=assets[5].pk).delete()
    assert context.operation.preview_undo() == {"restored": 17, "conflict": 2, "gone": 1}
    _undo(context)
    run = run_of(context)
    assert (run.restored_rows, run.conflict_rows) == (17, 3)
    found = dict(BackfillChange.objects.conflicts().values_list("row_pk", "outcome"))
    assert found == {assets[3].pk: "conflict", assets[4].pk: "conflict", assets[5].pk: "gone"}
    assert Asset.objects.get(pk=assets[3].pk).creator_description == "mine"


def test_a_paused_run_is_undone_completely() -> None:
    make_assets(30)
    before = table_hash()
    context = started(DescribeByName())
    run_next_batch(context, now=timezone.now())
    pause(context.run_pk, by=BY, now=timezone.now())
    _undo(context)
    assert table_hash() == before
    assert run_of(context).restored_rows == 10


def test_an_active_undone_or_finalised_run_cannot_be_undone() -> None:
    make_assets(15)
    context = started(DescribeByName())
    with pytest.raises(TransitionNotAllowed, match="pause or cancel it first"):
        begin_undo(context.run_pk, by=BY, now=timezone.now())
    run_to_the_end(context)
    finalise(context.run_pk, by=BY, now=timezone.now())
    with pytest.raises(TransitionNotAllowed, match="reopen it first"):
        begin_undo(context.run_pk, by=BY, now=timezone.now())
    reopen(context.run_pk, by=BY, now=timezone.now())
    _undo(context)
    once = table_hash()
    with pytest.raises(TransitionNotAllowed, match="start a new run"):
        begin_undo(context.run_pk, by=BY, now=timezone.now())
    assert table_hash() == once


def test_an_undoing_run_can_only_continue() -> None:
    make_assets(30)
    before = table_hash()
    context = started(DescribeByName())
    run_to_the_end(context)
    begin_undo(context.run_pk, by=BY, now=timezone.now())
    run_next_batch(context, now=timezone.now())
    for action in (begin_undo, pause, cancel, finalise):
        with pytest.raises(TransitionNotAllowed, match="wait for the undo"):
            action(context.run_pk, by=BY, now=timezone.now())
    run_to_the_end(context)
    assert table_hash() == before


def test_an_undo_needs_the_lock_of_the_column() -> None:
    make_assets(15)
    first = started(DescribeByName())
    run_to_the_end(first)
    make_assets(5)
    second = started(DescribeByName())
    with pytest.raises(ColumnLocked, match=f"run {second.run_pk} of tests.describe, running"):
        begin_undo(first.run_pk, by=BY, now=timezone.now())
    run_to_the_end(second)
    _undo(first)
    assert Asset.objects.filter(creator_description=None).count() == 15, "the second run's rows stay"


def test_a_previous_value_that_the_database_rejects_is_a_conflict() -> None:
    assets = make_assets(8, description="fine")
    context = started(RewriteWords())
    run_to_the_end(context)
    # The previous value is negative, as an older release allowed; the column rejects it now.
    BackfillChange.objects.filter(row_pk=assets[2].pk, field="file_size").update(before=-5)
    _undo(context)
    run = run_of(context)
    assert run.state == "undone"
    assert Asset.objects.filter(file_size=None).count() == 7
    assert BackfillChange.objects.filter(row_pk=assets[2].pk, outcome="conflict").exists()


EDITS = st.lists(st.tuples(st.integers(0, 11), st.sampled_from(["edit", "empty", "delete", "batch"])), max_size=25)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS, batches_undone=st.integers(0, 3))
def test_an_undo_keeps_all_edits_by_users_and_restores_the_other_rows(
    edits: list[tuple[int, str]], batches_undone: int
) -> None:
    Asset.objects.all().delete()
    BackfillColumnLock.objects.all().delete()
    assets = make_assets(12)
    expected: dict[int, str | None] = {asset.pk: None for asset in assets}
    context = started(DescribeByName(), batch_size=3)
    for place, what in edits:
        row = Asset.objects.filter(pk=assets[place].pk)
        if what == "batch":
            run_next_batch(context, now=timezone.now())
        elif what == "delete":
            row.delete()
            expected.pop(assets[place].pk, None)
        elif assets[place].pk in expected:
            words = f"edit {place}" if what == "edit" else None
            row.update(creator_description=words, creator_description_origin="")
            expected[assets[place].pk] = words
    if run_of(context).state == "running":
        cancel(context.run_pk, by=BY, now=timezone.now())
    begin_undo(context.run_pk, by=BY, now=timezone.now())
    run_to_the_end(context)
    assert dict(Asset.objects.values_list("pk", "creator_description")) == expected
    assert not Asset.objects.exclude(creator_description_origin="").exists()
