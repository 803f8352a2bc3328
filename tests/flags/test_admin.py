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


def test_list_shows_a_description_of_each_state(staff, superuser):
    FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=None, percent=25, staff=True)
    FlagChangeFactory(changed_by=superuser)
    text = staff.get(FLAGS).content.decode()
    assert all(name in text for name in FLAG_NAMES)
    assert "25 % + staff" in text
    assert "albumArt" in text
    assert f"by {superuser.email}" in text


def test_an_edit_is_recorded_with_its_reason(staff, superuser, make_user):
    user = make_user()
    changes = {"everyone": "unknown", "percent": "25", "staff": "on", "users": [user.pk], "note": "pilot"}
    response = staff.post(page_of(ALBUM_ART), changes | {"reason": "Pilot with staff"})
    assert response.status_code == 302
    change = FlagChange.objects.get()
    assert (change.changed_by, change.reason) == (superuser, "Pilot with staff")
    assert change.after == OFF | {
        "everyone": None,
        "percent": "25.0",
        "staff": True,
        "users": [user.public_id],
        "note": "pilot",
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"everyone": "true"}, "reason"),
        ({"everyone": "true", "reason": "x" * 201}, "reason"),
        ({"percent": "100", "reason": "more"}, "percent"),
        ({"percent": "-1", "reason": "less"}, "percent"),
        ({"users": ["999999"], "reason": "who"}, "users"),
    ],
)
def test_an_invalid_edit_is_a_field_error(staff, changes, field):
    response = staff.post(page_of(ALBUM_ART), {"everyone": "false"} | changes)
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors
    assert not FlagChange.objects.exists()


def test_an_edit_keeps_concurrent_changes_of_other_fields(staff):
    page = page_of(ALBUM_ART)
    form = {"everyone": "unknown", "reason": "Staff first", "staff": "on"}
    FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=None)
    staff.post(page, form)
    assert FlagChange.objects.get().after == OFF | {"everyone": None, "staff": True}


def test_an_edit_without_changes_shows_a_warning(staff):
    response = staff.post(page_of(ALBUM_ART), {"everyone": "false", "reason": "nothing"}, follow=True)
    assert "No settings changed" in response.content.decode()
    assert not FlagChange.objects.exists()


def test_only_unused_flags_can_be_deleted_and_none_added(staff):
    assert staff.get(reverse("admin:flags_fieldflag_add")).status_code == 403
    pk = FieldFlag.objects.get(name=ALBUM_ART).pk
    assert staff.post(reverse("admin:flags_fieldflag_delete", args=[pk]), {"post": "yes"}).status_code == 403
    assert FieldFlag.objects.filter(pk=pk).exists()
    stale = FieldFlag.objects.create(name="unused")
    assert staff.post(reverse("admin:flags_fieldflag_delete", args=[stale.pk]), {"post": "yes"}).status_code == 302
    assert not FieldFlag.objects.filter(pk=stale.pk).exists()
    assert FlagChange.objects.get().flag_name == "unused"


def test_restore_requires_a_reason_and_restores_the_state_before(staff, superuser):
    FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=True)
    change = FlagChangeFactory()
    url = reverse("admin:flags_flagchange_restore", args=[change.pk])
    assert "Restore the state before" in staff.get(url).content.decode()
    assert "reason is required" in staff.post(url, {"_form_submitted": "on", "reason": ""}).content.decode()
    assert FlagChange.objects.count() == 1
    response = staff.post(url, {"_form_submitted": "on", "reason": "Too early"})
    assert response.headers["HX-Redirect"] == CHANGES
    assert FieldFlag.objects.get(name=ALBUM_ART).everyone is False
    newest = FlagChange.objects.first()
    assert (newest.reason, newest.changed_by) == ("Too early", superuser)


def test_a_change_shows_users_by_email(staff, make_user):
    user = make_user()
    change = FlagChangeFactory(after=OFF | {"everyone": None, "users": [user.public_id]})
    text = staff.get(reverse("admin:flags_flagchange_change", args=[change.pk])).content.decode()
    assert f"none → {user.email}" in text


def test_user_with_view_permission_can_neither_edit_nor_restore(make_user):
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_fieldflag", "view_flagchange"]))
    client = Client()
    client.force_login(user)
    assert client.get(page_of(ALBUM_ART)).status_code == 200
    assert client.post(page_of(ALBUM_ART), {"everyone": "true", "reason": "mine"}).status_code == 403
    change = FlagChangeFactory()
    url = reverse("admin:flags_flagchange_restore", args=[change.pk])
    assert client.post(url, {"_form_submitted": "on", "reason": "mine"}).status_code == 403
    assert FieldFlag.objects.get(name=ALBUM_ART).everyone is False
    assert FlagChange.objects.get() == change
    assert (
        "Restore the state"
        not in client.get(reverse("admin:flags_flagchange_change", args=[change.pk])).content.decode()
    )


def test_query_count_of_lists_does_not_grow_with_rows(staff, make_user, django_assert_max_num_queries):
    for _ in range(30):
        FlagChangeFactory(changed_by=make_user())
    FieldFlag.objects.get(name=ALBUM_ART).users.set([make_user() for _ in range(10)])
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
    stored = FlagChange.objects.get(pk=change.pk)
    assert (stored.reason, stored.before, stored.after) == (change.reason, change.before, change.after)
