"""A flag that is held back reaches no more callers, by whatever way the edit comes."""

from datetime import UTC, datetime

import pytest

from common.errors import Conflict
from flags.editing import restore_flag, turn_on_for_everyone, update_flag
from flags.guards import current_block, register_guard, unregister_guard
from flags.models import FieldFlag, FlagChange
from flags.registry import AI_METADATA, ALBUM_ART
from tests.factories.flags import OFF, FlagChangeFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeded")]

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def edit(**wishes):
    return update_flag(name=ALBUM_ART, by=None, reason="test", now=NOW, **wishes)


@pytest.mark.parametrize(
    "wishes", [{"everyone": True}, {"everyone": None, "authenticated": True}, {"everyone": None, "percent": "50.1"}]
)
def test_refuses_what_goes_above_the_limit_and_says_why(hold, wishes):
    hold(ALBUM_ART)
    with pytest.raises(Conflict, match=r"may not go above 50 %: its backfill is not finalised"):
        edit(**wishes)
    assert FieldFlag.objects.get(name=ALBUM_ART).everyone is False
    assert not FlagChange.objects.exists()


def test_leaves_the_way_open_up_to_the_limit_and_for_staff(hold):
    hold(ALBUM_ART)
    assert edit(everyone=None, staff=True, percent=50)


def test_lowering_asks_nobody():
    asked = []
    hold = register_guard(ALBUM_ART, 10, lambda: asked.append("asked"))
    try:
        FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=True)
        for wishes in ({"note": "seen"}, {"everyone": None, "percent": 60}, {"percent": 20}, {"everyone": False}):
            assert edit(**wishes)
    finally:
        unregister_guard(hold)
    assert asked == []


def test_lets_go_as_soon_as_there_is_no_reason_any_more(hold):
    reason = hold(ALBUM_ART)
    reason["text"] = None
    assert current_block(ALBUM_ART) is None
    assert edit(everyone=True)


def test_the_tightest_of_several_holds_is_named(hold):
    hold(ALBUM_ART, 50)
    hold(ALBUM_ART, 1)
    assert current_block(ALBUM_ART).above_percent == 1
    assert current_block(AI_METADATA) is None
    with pytest.raises(Conflict, match="above 1 %"):
        edit(everyone=None, percent=10)


def test_a_restored_state_is_held_back_like_any_other(hold):
    hold(ALBUM_ART)
    change = FlagChangeFactory(before=OFF | {"everyone": True}, after=OFF)
    with pytest.raises(Conflict, match="not finalised"):
        restore_flag(change=change, by=None, reason="back", now=NOW)


def test_where_one_of_many_is_held_none_goes_on(hold):
    hold(ALBUM_ART)
    with pytest.raises(Conflict, match="not finalised"):
        turn_on_for_everyone([AI_METADATA, ALBUM_ART], by=None, reason="all", now=NOW)
    assert not FlagChange.objects.exists()


@pytest.mark.parametrize(("name", "percent"), [("no_such_flag", 50), (ALBUM_ART, 100), (ALBUM_ART, -1)])
def test_a_hold_that_could_never_hold_is_refused_at_the_start(name, percent):
    with pytest.raises(ValueError, match="held"):
        register_guard(name, percent, lambda: "wait")
