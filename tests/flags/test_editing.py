import itertools
import threading
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, IntegrityError, connection, transaction

from common.errors import Conflict, InvalidInput
from flags.editing import remove_stale_flag, restore_flag, turn_on_for_everyone, update_flag
from flags.models import FieldFlag, FlagChange
from flags.registry import ALBUM_ART, FLAG_NAMES
from tests.factories.flags import OFF, FlagChangeFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeded")]

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def edit(**changes):
    return update_flag(**{"name": ALBUM_ART, "by": None, "reason": "test", "now": NOW} | changes)


def test_records_user_time_reason_and_both_states(make_user):
    anna, ben = make_user(), make_user()
    group = Group.objects.create(name="Pilots")
    change = edit(by=anna, reason=" Pilot ", everyone=None, percent="25", staff=True, users=[ben], groups=[group])
    assert (change.changed_by, change.changed_at, change.reason) == (anna, NOW, "Pilot")
    assert change.before == OFF
    assert change.after == OFF | {
        "everyone": None,
        "percent": "25.0",
        "staff": True,
        "users": [ben.public_id],
        "groups": ["Pilots"],
    }
    flag = FieldFlag.objects.get(name=ALBUM_ART)
    assert (flag.everyone, str(flag.percent), flag.staff, [*flag.users.all()]) == (None, "25.0", True, [ben])


def test_keeps_settings_that_are_not_given():
    edit(everyone=None, percent=25, note="pilot")
    assert edit(staff=True).after == OFF | {"everyone": None, "percent": "25.0", "staff": True, "note": "pilot"}


def test_an_edit_without_changes_is_not_recorded():
    assert edit(everyone=False) is None
    assert not FlagChange.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "no_such_flag"}, "name"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 201}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
        ({"percent": 100}, "percent"),
        ({"percent": -1}, "percent"),
        ({"percent": "1.25"}, "percent"),
        ({"percent": "NaN"}, "percent"),
        ({"percent": "many"}, "percent"),
    ],
)
def test_rejects_invalid_settings_with_the_field(change, field):
    with pytest.raises(InvalidInput) as caught:
        edit(**{"everyone": None} | change)
    assert caught.value.field_errors[0].field == field
    assert FieldFlag.objects.get(name=ALBUM_ART).everyone is False


def test_reason_is_optional_if_not_required(settings):
    settings.FLAGS_REASON_REQUIRED = False
    assert edit(reason="", everyone=True).reason == ""


def test_an_edit_creates_a_missing_row():
    FieldFlag.objects.filter(name=ALBUM_ART).delete()
    change = edit(everyone=True)
    assert (change.before, change.after["everyone"]) == (None, True)
    with pytest.raises(Conflict):
        restore_flag(change=change, by=None, reason="back", now=NOW)


def test_restores_the_state_before_a_change(make_user):
    user, gone = make_user(), make_user()
    pilot = edit(everyone=None, percent=10, users=[user, gone], note="pilot")
    wide = edit(everyone=True, users=[], note="")
    gone.delete()
    restored = restore_flag(change=wide, by=user, reason="Too early", now=NOW)
    assert restored.before == wide.after
    assert restored.after == pilot.after | {"users": [user.public_id]}
    assert restore_flag(change=wide, by=user, reason="again", now=NOW) is None


def test_turn_on_for_everyone_returns_only_changes():
    assert {
        change.flag_name for change in turn_on_for_everyone(FLAG_NAMES, by=None, reason="Demo", now=NOW)
    } == FLAG_NAMES
    assert turn_on_for_everyone(FLAG_NAMES, by=None, reason="Demo", now=NOW) == []


def test_rejects_deleting_a_used_flag_and_deletes_an_unused_one():
    with pytest.raises(Conflict):
        remove_stale_flag(name=ALBUM_ART, by=None, reason="", now=NOW)
    FieldFlag.objects.create(name="of_old")
    change = remove_stale_flag(name="of_old", by=None, reason="unused", now=NOW)
    assert change.before is not None
    assert change.after is None
    assert not FieldFlag.objects.filter(name="of_old").exists()


@pytest.mark.parametrize("sql", ["UPDATE flags_flagchange SET reason = 'x'", "DELETE FROM flags_flagchange"])
def test_the_database_rejects_edits_of_changes(sql):
    FlagChangeFactory()
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert FlagChange.objects.get().reason == "Try it"


def test_a_change_is_kept_if_its_user_is_deleted(make_user):
    author = make_user()
    change = FlagChangeFactory(changed_by=author)
    author.delete()
    change.refresh_from_db()
    assert change.changed_by is None


def test_the_database_rejects_an_invalid_percentage():
    with pytest.raises(IntegrityError), transaction.atomic():
        FieldFlag.objects.filter(name=ALBUM_ART).update(percent=-1)


@pytest.mark.django_db(transaction=True)
def test_concurrent_edits_are_recorded_one_after_the_other():
    start = threading.Barrier(2)

    def run(changes):
        start.wait()
        try:
            for _ in range(5):
                edit(**changes[0])
                edit(**changes[1])
        finally:
            connection.close()

    pairs = [({"staff": True}, {"staff": False}), ({"authenticated": True}, {"authenticated": False})]
    threads = [threading.Thread(target=run, args=(pair,)) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    changes = list(FlagChange.objects.order_by("pk"))
    assert len(changes) == 20
    assert changes[0].before == OFF
    assert all(earlier.after == later.before for earlier, later in itertools.pairwise(changes))
