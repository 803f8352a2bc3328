"""From stage to stage, and where every flag stands."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group

from common.errors import Conflict, InvalidInput
from flags.models import FieldFlag, FlagChange
from flags.registry import ALBUM_ART, ALBUM_ART_PIPELINE, CREATOR_DESCRIPTION, FLAG_NAMES
from flags.rollout import flags_on, list_rollouts, set_stage, switch_off
from flags.stages import Stage
from tests.factories.flags import OFF

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeded")]

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def go(stage, name=ALBUM_ART, by=None, now=NOW):
    return set_stage(name=name, stage=stage, by=by, reason="test", now=now)


def of(name):
    return next(row for row in list_rollouts() if row.field.flag == name)


def test_walks_up_and_down_and_records_each_step(make_person):
    anna = make_person()
    for stage in ("staff", "1", "10", "50", "100", "staff", "off"):
        assert go(stage, by=anna).changed_by == anna
        assert of(ALBUM_ART).stage == stage
    assert FlagChange.objects.count() == 7
    assert go("off") is None


def test_a_stage_overrules_whatever_was_set_by_hand():
    FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=None, percent=33, authenticated=True)
    assert go("10").after == OFF | {"everyone": None, "percent": "10.0", "staff": True}
    assert go("off").after == OFF


def test_people_and_groups_stay_named_through_all_stages(make_person):
    flag, person = FieldFlag.objects.get(name=ALBUM_ART), make_person()
    flag.users.set([person])
    flag.groups.set([Group.objects.create(name="Pilots")])
    for stage in ("staff", "50", "100", "off"):
        after = go(stage).after
        assert (after["users"], after["groups"]) == ([person.public_id], ["Pilots"])
    assert of(ALBUM_ART).named == "1 person + group Pilots"
    assert of(ALBUM_ART).in_words == "off"


@pytest.mark.parametrize(
    ("name", "stage"),
    [(ALBUM_ART, "25"), (ALBUM_ART, "custom"), (ALBUM_ART_PIPELINE, "staff"), (ALBUM_ART_PIPELINE, "50"), ("no", "1")],
)
def test_refuses_a_stage_the_flag_does_not_have(name, stage):
    with pytest.raises(InvalidInput):
        go(stage, name)
    assert not FlagChange.objects.exists()


def test_a_flag_held_back_stops_at_the_stage_below_and_the_row_says_why(hold):
    hold(ALBUM_ART)
    go("50")
    with pytest.raises(Conflict, match="not finalised"):
        go("100")
    row = of(ALBUM_ART)
    assert (row.stage, row.held.above_percent) == (Stage.PERCENT_50, 50)
    assert {step.stage: step.blocked_reason for step in row.steps if step.blocked_reason} == {
        "100": "its backfill is not finalised"
    }
    assert [step.stage for step in row.steps if step.is_now] == ["50"]


def test_a_flag_that_is_above_the_limit_already_may_stay_and_come_down(hold):
    go("100")
    hold(ALBUM_ART, 1)
    assert not any(step.blocked_reason for step in of(ALBUM_ART).steps)
    go("10")


def test_since_when_and_by_whom_counts_moves_not_notes(make_person):
    anna = make_person()
    go("staff", by=anna)
    later = NOW + timedelta(days=1)
    FieldFlag.objects.get(name=ALBUM_ART).users.set([make_person()])
    set_stage(name=CREATOR_DESCRIPTION, stage="1", by=None, reason="other", now=later)
    FlagChange.objects.create(
        flag_name=ALBUM_ART, before=OFF | {"note": "a"}, after=OFF | {"note": "b"}, changed_at=later
    )
    assert (of(ALBUM_ART).since, of(ALBUM_ART).by) == (NOW, anna.email)
    assert (of(CREATOR_DESCRIPTION).since, of(CREATOR_DESCRIPTION).by) == (later, "the system")
    assert of(ALBUM_ART_PIPELINE).since is None


def test_a_flag_whose_row_is_gone_counts_as_off():
    FieldFlag.objects.all().delete()
    assert {row.stage for row in list_rollouts()} == {Stage.OFF}
    assert flags_on() == {}


def test_switches_off_many_in_one_go_and_tells_which_were_on():
    go("1")
    go("100", ALBUM_ART_PIPELINE)
    assert list(flags_on()) == [ALBUM_ART, ALBUM_ART_PIPELINE]
    changes = switch_off(FLAG_NAMES, by=None, reason="Too slow", now=NOW)
    assert {change.flag_name: change.reason for change in changes} == dict.fromkeys(
        [ALBUM_ART, ALBUM_ART_PIPELINE], "Too slow"
    )
    assert flags_on() == {}
    with pytest.raises(InvalidInput):
        switch_off([ALBUM_ART, "no_such_flag"], by=None, reason="x", now=NOW)
