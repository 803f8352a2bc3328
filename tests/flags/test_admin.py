import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from flags.models import FieldFlag, FlagChange
from flags.registry import ALBUM_ART, FLAG_NAMES
from tests.factories.flags import OFF, FlagChangeFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeded")]

FLAGS = reverse("admin:flags_fieldflag_changelist")
CHANGES = reverse("admin:flags_flagchange_changelist")


@pytest.fixture
def staff(superuser):
    client = Client()
    client.force_login(superuser)
    return client


def page_of(flag_name):
    return reverse("admin:flags_fieldflag_change", args=[FieldFlag.objects.get(name=flag_name).pk])


def test_the_list_says_each_state_in_words(staff, superuser):
    FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=None, percent=25, staff=True)
    FlagChangeFactory(changed_by=superuser)
    text = staff.get(FLAGS).content.decode()
    assert all(name in text for name in FLAG_NAMES)
    assert "25 % + staff" in text
    assert "albumArt" in text
    assert f"by {superuser.email}" in text


def test_an_edit_goes_with_its_reason_into_the_record(staff, superuser, make_person):
    person = make_person()
    wishes = {"everyone": "unknown", "percent": "25", "staff": "on", "users": [person.pk], "note": "pilot"}
    answer = staff.post(page_of(ALBUM_ART), wishes | {"reason": "Pilot with staff"})
    assert answer.status_code == 302
    change = FlagChange.objects.get()
    assert (change.changed_by, change.reason) == (superuser, "Pilot with staff")
    assert change.after == OFF | {
        "everyone": None,
        "percent": "25.0",
        "staff": True,
        "users": [person.public_id],
        "note": "pilot",
    }


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"everyone": "true"}, "reason"),
        ({"everyone": "true", "reason": "x" * 201}, "reason"),
        ({"percent": "100", "reason": "more"}, "percent"),
        ({"percent": "-1", "reason": "less"}, "percent"),
        ({"users": ["999999"], "reason": "who"}, "users"),
    ],
)
def test_refuses_a_bad_edit_beside_its_field(staff, wishes, field):
    answer = staff.post(page_of(ALBUM_ART), {"everyone": "false"} | wishes)
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert not FlagChange.objects.exists()


def test_an_edit_leaves_alone_what_somebody_else_set_meanwhile(staff):
    page = page_of(ALBUM_ART)
    form = {"everyone": "unknown", "reason": "Staff first", "staff": "on"}
    FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=None)
    staff.post(page, form)
    assert FlagChange.objects.get().after == OFF | {"everyone": None, "staff": True}


def test_an_edit_without_difference_says_so(staff):
    answer = staff.post(page_of(ALBUM_ART), {"everyone": "false", "reason": "nothing"}, follow=True)
    assert "Nothing differs" in answer.content.decode()
    assert not FlagChange.objects.exists()


def test_flags_are_neither_added_nor_deleted_while_the_code_names_them(staff):
    assert staff.get(reverse("admin:flags_fieldflag_add")).status_code == 403
    pk = FieldFlag.objects.get(name=ALBUM_ART).pk
    assert staff.post(reverse("admin:flags_fieldflag_delete", args=[pk]), {"post": "yes"}).status_code == 403
    stale = FieldFlag.objects.create(name="of_old")
    assert staff.post(reverse("admin:flags_fieldflag_delete", args=[stale.pk]), {"post": "yes"}).status_code == 302
    assert FlagChange.objects.get().flag_name == "of_old"


def test_restores_the_state_before_a_change_with_a_reason(staff, superuser):
    FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=True)
    change = FlagChangeFactory()
    door = reverse("admin:flags_flagchange_restore", args=[change.pk])
    assert "Restore the state before" in staff.get(door).content.decode()
    assert "reason is required" in staff.post(door, {"_form_submitted": "on", "reason": ""}).content.decode()
    assert FlagChange.objects.count() == 1
    answer = staff.post(door, {"_form_submitted": "on", "reason": "Too early"})
    assert answer.headers["HX-Redirect"] == CHANGES
    assert FieldFlag.objects.get(name=ALBUM_ART).everyone is False
    newest = FlagChange.objects.first()
    assert (newest.reason, newest.changed_by) == ("Too early", superuser)


def test_reading_a_change_shows_people_by_their_address(staff, make_person):
    person = make_person()
    change = FlagChangeFactory(after=OFF | {"everyone": None, "users": [person.public_id]})
    text = staff.get(reverse("admin:flags_flagchange_change", args=[change.pk])).content.decode()
    assert f"nobody → {person.email}" in text


def test_who_may_only_look_can_neither_edit_nor_restore(make_person):
    person = make_person(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=["view_fieldflag", "view_flagchange"]))
    client = Client()
    client.force_login(person)
    assert client.get(page_of(ALBUM_ART)).status_code == 200
    assert client.post(page_of(ALBUM_ART), {"everyone": "true", "reason": "mine"}).status_code == 403
    change = FlagChangeFactory()
    door = reverse("admin:flags_flagchange_restore", args=[change.pk])
    assert client.post(door, {"_form_submitted": "on", "reason": "mine"}).status_code == 403
    assert (
        "Restore the state"
        not in client.get(reverse("admin:flags_flagchange_change", args=[change.pk])).content.decode()
    )


def test_the_lists_cost_the_same_for_many_rows(staff, make_person, django_assert_max_num_queries):
    for _ in range(30):
        FlagChangeFactory(changed_by=make_person())
    FieldFlag.objects.get(name=ALBUM_ART).users.set([make_person() for _ in range(10)])
    with django_assert_max_num_queries(9):
        staff.get(FLAGS)
    with django_assert_max_num_queries(9):
        staff.get(CHANGES)


def test_a_change_is_read_only(staff):
    change = FlagChangeFactory()
    page = reverse("admin:flags_flagchange_change", args=[change.pk])
    assert staff.get(page).status_code == 200
    assert staff.post(page, {"reason": "other"}).status_code == 403
    assert staff.post(reverse("admin:flags_flagchange_delete", args=[change.pk]), {"post": "yes"}).status_code == 403
