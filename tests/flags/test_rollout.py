"""Setting and listing rollout stages."""

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


def set_to(stage, name=ALBUM_ART, by=None, now=NOW):
    return set_stage(name=name, stage=stage, by=by, reason="test", now=now)


def rollout_of(name):
    return next(row for row in list_rollouts() if row.field.flag == name)


def test_sets_stages_up_and_down_and_records_each_change(make_user):
    anna = make_user()
    for stage in ("staff", "1", "10", "50", "100", "staff", "off"):
        assert set_to(stage, by=anna).changed_by == anna
        assert rollout_of(ALBUM_ART).stage == stage
    assert FlagChange.objects.count() == 7
    assert set_to("off") is None


def test_a_stage_replaces_custom_settings():
    FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=None, percent=33, authenticated=True)
    assert set_to("10").after == OFF | {"everyone": None, "percent": "10.0", "staff": True}
    assert set_to("off").after == OFF


def test_all_stages_keep_targeted_users_and_groups(make_user):
    flag, user = FieldFlag.objects.get(name=ALBUM_ART), make_user()
    flag.users.set([user])
    flag.groups.set([Group.objects.create(name="Pilots")])
    for stage in ("staff", "50", "100", "off"):
        after = set_to(stage).after
        assert (after["users"], after["groups"]) == ([user.public_id], ["Pilots"])
    assert rollout_of(ALBUM_ART).targeted == "1 user + group Pilots"
    assert rollout_of(ALBUM_ART).description == "off"


@pytest.mark.parametrize(
    ("name", "stage"),
    [(ALBUM_ART, "25"), (ALBUM_ART, "custom"), (ALBUM_ART_PIPELINE, "staff"), (ALBUM_ART_PIPELINE, "50"), ("no", "1")],
)
def test_rejects_stages_that_a_flag_does_not_have(name, stage):
    with pytest.raises(InvalidInput):
        set_to(stage, name)
    assert not FlagChange.objects.exists()


def test_a_blocked_flag_stops_at_the_limit_and_shows_the_reason(block_flag):
    block_flag(ALBUM_ART)
    set_to("50")
    with pytest.raises(Conflict, match="not finalised"):
        set_to("100")
    row = rollout_of(ALBUM_ART)
    assert (row.stage, row.block.above_percent) == (Stage.PERCENT_50, 50)
    assert {option.stage: option.blocked_reason for option in row.options if option.blocked_reason} == {
        "100": "its backfill is not finalised"
    }
    assert [option.stage for option in row.options if option.is_current] == ["50"]


def test_a_flag_above_the_limit_can_stay_or_be_lowered(block_flag):
    set_to("100")
    block_flag(ALBUM_ART, 1)
    assert not any(option.blocked_reason for option in rollout_of(ALBUM_ART).options)
    set_to("10")


def test_since_and_by_are_of_the_last_change_of_exposure(make_user):
    anna = make_user()
    set_to("staff", by=anna)
    later = NOW + timedelta(days=1)
    FieldFlag.objects.get(name=ALBUM_ART).users.set([make_user()])
    set_stage(name=CREATOR_DESCRIPTION, stage="1", by=None, reason="other", now=later)
    FlagChange.objects.create(
        flag_name=ALBUM_ART, before=OFF | {"note": "a"}, after=OFF | {"note": "b"}, changed_at=later
    )
    assert (rollout_of(ALBUM_ART).since, rollout_of(ALBUM_ART).by) == (NOW, anna.email)
    assert (rollout_of(CREATOR_DESCRIPTION).since, rollout_of(CREATOR_DESCRIPTION).by) == (later, "system")
    assert rollout_of(ALBUM_ART_PIPELINE).since is None


def test_a_missing_row_counts_as_off():
    FieldFlag.objects.all().delete()
    assert {row.stage for row in list_rollouts()} == {Stage.OFF}
    assert flags_on() == {}


def test_switch_off_returns_the_changes_of_flags_that_were_on():
    set_to("1")
    set_to("100", ALBUM_ART_PIPELINE)
    assert list(flags_on()) == [ALBUM_ART, ALBUM_ART_PIPELINE]
    changes = switch_off(FLAG_NAMES, by=None, reason="Too slow", now=NOW)
    assert {change.flag_name: change.reason for change in changes} == dict.fromkeys(
        [ALBUM_ART, ALBUM_ART_PIPELINE], "Too slow"
    )
    assert flags_on() == {}
    with pytest.raises(InvalidInput):
        switch_off([ALBUM_ART, "no_such_flag"], by=None, reason="x", now=NOW)
