"""Guards block exposure above their limit, for every kind of edit."""

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


def edit(**changes):
    return update_flag(name=ALBUM_ART, by=None, reason="test", now=NOW, **changes)


@pytest.mark.parametrize(
    "changes", [{"everyone": True}, {"everyone": None, "authenticated": True}, {"everyone": None, "percent": "50.1"}]
)
def test_rejects_exposure_above_the_limit_with_the_reason(block_flag, changes):
    block_flag(ALBUM_ART)
    with pytest.raises(Conflict, match=r"may not go above 50 %: its backfill is not finalised"):
        edit(**changes)
    assert FieldFlag.objects.get(name=ALBUM_ART).everyone is False
    assert not FlagChange.objects.exists()


def test_allows_exposure_up_to_the_limit_and_staff(block_flag):
    block_flag(ALBUM_ART)
    assert edit(everyone=None, staff=True, percent=50)


def test_lowering_exposure_runs_no_check():
    calls = []
    guard = register_guard(ALBUM_ART, 10, lambda: calls.append("call"))
    try:
        FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=True)
        for changes in ({"note": "seen"}, {"everyone": None, "percent": 60}, {"percent": 20}, {"everyone": False}):
            assert edit(**changes)
    finally:
        unregister_guard(guard)
    assert calls == []


def test_a_guard_without_a_reason_does_not_block(block_flag):
    reason = block_flag(ALBUM_ART)
    reason["text"] = None
    assert current_block(ALBUM_ART) is None
    assert edit(everyone=True)


def test_current_block_is_the_one_with_the_lowest_limit(block_flag):
    block_flag(ALBUM_ART, 50)
    block_flag(ALBUM_ART, 1)
    assert current_block(ALBUM_ART).above_percent == 1
    assert current_block(AI_METADATA) is None
    with pytest.raises(Conflict, match="above 1 %"):
        edit(everyone=None, percent=10)


def test_restoring_a_state_runs_the_guards(block_flag):
    block_flag(ALBUM_ART)
    change = FlagChangeFactory(before=OFF | {"everyone": True}, after=OFF)
    with pytest.raises(Conflict, match="not finalised"):
        restore_flag(change=change, by=None, reason="back", now=NOW)


def test_one_blocked_flag_of_several_changes_none(block_flag):
    block_flag(ALBUM_ART)
    with pytest.raises(Conflict, match="not finalised"):
        turn_on_for_everyone([AI_METADATA, ALBUM_ART], by=None, reason="all", now=NOW)
    assert not FlagChange.objects.exists()


@pytest.mark.parametrize(("name", "percent"), [("no_such_flag", 50), (ALBUM_ART, 100), (ALBUM_ART, -1)])
def test_rejects_an_invalid_guard(name, percent):
    with pytest.raises(ValueError, match="invalid limit"):
        register_guard(name, percent, lambda: "wait")
