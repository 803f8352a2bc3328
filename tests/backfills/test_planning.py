"""Plans: complete, without side effects, and stale when rows have changed."""

import pytest
from django.apps import apps
from django.utils import timezone

from assets.backfill_rules import CREATOR_DESCRIPTION_RULE
from assets.models import Asset
from backfills.engine.run_setup import create_run_context, plan_run, start_run
from backfills.models import BackfillChange, BackfillRun
from backfills.rules import Skip
from common.errors import InvalidInput
from jobs.batches import run_next_batch
from jobs.errors import ColumnLocked, NoMatchingRows, StalePlan, TransitionNotAllowed
from tests.factories.assets import make_asset, make_assets
from tests.support.backfills import BY, DescribeByName, registered, run_of, run_to_the_end, started, table_hash

pytestmark = pytest.mark.django_db


def _planned(rule: DescribeByName, **run: object) -> object:
    return create_run_context(
        rule, apps, **({"parameters": {}, "by": BY, "reason": "a test", "now": timezone.now()} | run)
    )


def test_a_plan_finds_every_outcome_and_row_error_in_one_pass_and_changes_nothing() -> None:
    assets = make_assets(30) + make_assets(5, "S.POP.BAS", source="Other")
    rule = DescribeByName()

    def answer(row: dict) -> object:
        if row["source"] == "Other":
            return Skip("not ours")
        if row["pk"] == assets[7].pk:
            return {"creator_description": "x" * 501}
        return {}["nothing"] if row["pk"] == assets[20].pk else None

    rule.answer = answer
    context = _planned(rule)
    before = table_hash()
    plan = plan_run(context, now=timezone.now())
    assert plan.rows == 35
    assert plan.outcomes == {"change": 28, "skip: not ours": 5, "error": 2}
    assert plan.groups == {"L": 28}
    assert {error["label"] for error in plan.errors} == {assets[7].name, assets[20].name}
    assert "too long" in next(error["reason"] for error in plan.errors if error["pk"] == assets[7].pk)
    assert plan.samples[0] == {
        "pk": assets[0].pk,
        "label": assets[0].name,
        "before": {"creator_description": None},
        "after": {"creator_description": f"about {assets[0].name}"},
    }
    assert table_hash() == before
    assert not BackfillChange.objects.exists()
    assert run_of(context).plan["outcomes"]["change"] == 28


def test_a_run_changes_as_many_rows_as_its_plan() -> None:
    make_assets(30)
    context = _planned(DescribeByName())
    plan = plan_run(context, now=timezone.now())
    start_run(context, by=BY, now=timezone.now(), plan_hash=plan.digest)
    run_to_the_end(context)
    assert run_of(context).changed_rows == plan.outcomes["change"] == 30


@pytest.mark.parametrize("change", ["new row", "edited", "deleted", "filled"])
def test_a_plan_is_stale_when_rows_have_changed(change: str) -> None:
    assets = make_assets(12)
    context = _planned(DescribeByName())
    plan = plan_run(context, now=timezone.now())
    if change == "new row":
        make_asset()
    elif change == "deleted":
        assets[3].delete()
    else:
        fields = {"name": "L.CAS.ATL.004:x"} if change == "edited" else {"creator_description": "mine"}
        Asset.objects.filter(pk=assets[3].pk).update(**fields)
    with pytest.raises(StalePlan):
        start_run(context, by=BY, now=timezone.now(), plan_hash=plan.digest)
    assert run_of(context).state == "planned", "its way out: plan again"
    again = plan_run(context, now=timezone.now())
    start_run(context, by=BY, now=timezone.now(), plan_hash=again.digest)


def test_a_plan_of_another_rule_version_is_stale() -> None:
    make_assets(2)
    rule = DescribeByName()
    context = _planned(rule)
    plan = plan_run(context, now=timezone.now())
    rule.version = 2
    with pytest.raises(StalePlan, match="version 1 of the rule; the rule is version 2 now"):
        start_run(context, by=BY, now=timezone.now(), plan_hash=plan.digest)


def test_a_row_edited_after_the_plan_gets_a_value_for_its_new_state() -> None:
    assets = make_assets(3)
    context = started(DescribeByName())
    Asset.objects.filter(pk=assets[1].pk).update(name="L.CAS.ATL.002:new")
    run_next_batch(context, now=timezone.now())
    assert Asset.objects.get(pk=assets[1].pk).creator_description == "about L.CAS.ATL.002:new"


def test_a_start_without_matching_rows_fails_and_locks_no_column() -> None:
    context = _planned(DescribeByName())
    with pytest.raises(NoMatchingRows):
        start_run(context, by=BY, now=timezone.now())
    assert run_of(context).state == "planned"
    assert not run_of(context).column_locks.exists()


def test_a_second_start_names_the_run_that_locks_the_column() -> None:
    make_assets(3)
    first = started(DescribeByName())
    with pytest.raises(ColumnLocked, match=rf"creator_description \(run {first.run_pk} of tests.describe, running\)"):
        started(CREATOR_DESCRIPTION_RULE)
    with pytest.raises(TransitionNotAllowed, match="The run is running"):
        start_run(first, by=BY, now=timezone.now())
    with pytest.raises(TransitionNotAllowed):
        plan_run(first, now=timezone.now())


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 201}, "reason"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 5001}, "batch_size"),
        ({"sleep_ratio": -1}, "sleep_ratio"),
        ({"sleep_ratio": 21}, "sleep_ratio"),
        ({"parameters": {"colour": "red"}}, "colour"),
    ],
)
def test_invalid_parameters_are_rejected_by_name(data: dict, field: str) -> None:
    with registered(DescribeByName()) as rule, pytest.raises(InvalidInput) as error:
        _planned(rule, **data)
    assert error.value.field_errors[0].field == field
    assert not BackfillRun.objects.exists()
