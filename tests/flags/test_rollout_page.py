"""The page of the rollout over HTTP; `tests/integration/test_rollout.py` walks it in a browser."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from flags.models import FieldFlag, FlagChange
from flags.registry import ALBUM_ART, ALBUM_ART_PIPELINE, FLAG_NAMES
from tests.factories.flags import FlagChangeFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeded")]

PAGE = reverse("admin:flags_rollout")


def door(stage, name=ALBUM_ART):
    return reverse("admin:flags_rollout_stage", args=[name, stage])


def off_door(name=ALBUM_ART):
    return reverse("admin:flags_rollout_off", args=[name])


def send(client, stage, reason="Pilot", name=ALBUM_ART):
    return client.post(door(stage, name), {"_form_submitted": "on", "reason": reason})


@pytest.fixture
def client_of():
    def log_in(person):
        client = Client()
        client.force_login(person)
        return client

    return log_in


@pytest.fixture
def staff(client_of, superuser):
    return client_of(superuser)


def test_every_flag_has_its_row_and_its_stages(staff):
    text = staff.get(PAGE).content.decode()
    assert all(f'data-flag="{name}"' in text for name in FLAG_NAMES)
    for stage in ("staff", "1", "10", "50", "100"):
        assert door(stage) in text
    assert door("off") not in text  # it is off
    assert door("100", ALBUM_ART_PIPELINE) in text
    assert door("10", ALBUM_ART_PIPELINE) not in text
    assert reverse("admin:flags_rollout") in staff.get(reverse("admin:index")).content.decode()
    list_page = staff.get(reverse("admin:flags_fieldflag_changelist")).content.decode()
    assert reverse("admin:flags_fieldflag_open_rollout") in list_page
    assert staff.get(reverse("admin:flags_fieldflag_open_rollout")).headers["Location"] == PAGE


def test_a_stage_is_entered_with_a_reason(staff, superuser):
    assert "1 % of people and services" in staff.get(door("1")).content.decode()
    assert "reason is required" in send(staff, "1", reason="").content.decode()
    assert not FlagChange.objects.exists()
    assert send(staff, "1").headers["HX-Redirect"] == PAGE
    change = FlagChange.objects.get()
    assert (change.reason, change.changed_by, change.after["percent"]) == ("Pilot", superuser, "1.0")
    text = staff.get(PAGE).content.decode()
    assert "album_art is at 1 % now" in text
    assert f"by {superuser.email}" in text
    send(staff, "1")
    assert "album_art is at 1 % already" in staff.get(PAGE).content.decode()


def test_off_is_one_click(staff, superuser):
    FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=True)
    assert off_door() in staff.get(PAGE).content.decode()
    assert staff.get(off_door()).status_code == 405
    assert staff.post(off_door()).headers["Location"] == PAGE
    change = FlagChange.objects.get()
    assert (change.after["everyone"], change.changed_by) == (False, superuser)
    assert change.reason
    assert off_door() not in staff.get(PAGE).content.decode()


def test_a_held_stage_is_no_button_and_is_refused_all_the_same(staff, hold):
    hold(ALBUM_ART)
    text = staff.get(PAGE).content.decode()
    assert "Held at 50 %: its backfill is not finalised" in text
    assert door("50") in text
    assert door("100") not in text
    assert send(staff, "100").headers["HX-Redirect"] == PAGE
    assert "may not go above 50 %" in staff.get(PAGE).content.decode()
    assert not FlagChange.objects.exists()


def test_the_form_of_a_flag_says_what_holds_it(staff, hold):
    hold(ALBUM_ART)
    page = reverse("admin:flags_fieldflag_change", args=[FieldFlag.objects.get(name=ALBUM_ART).pk])
    answer = staff.post(page, {"everyone": "true", "reason": "for all"})
    assert answer.status_code == 200
    assert "its backfill is not finalised" in answer.content.decode()
    assert not FlagChange.objects.exists()


def test_a_stage_set_by_hand_is_named(staff):
    FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=None, percent=25)
    text = staff.get(PAGE).content.decode()
    assert "set by hand" in text
    assert "25 %" in text


@pytest.mark.parametrize(
    "address", [door("25"), door("custom"), door("1", "no_such_flag"), door("10", "album_art_pipeline")]
)
def test_stages_that_are_not_there_are_not_found(staff, address):
    assert staff.get(address).status_code == 404


def test_who_may_only_look_sees_the_page_and_no_button(client_of, make_person):
    person = make_person(is_staff=True)
    client = client_of(person)
    assert client.get(PAGE).status_code == 403
    person.user_permissions.set(Permission.objects.filter(codename="view_fieldflag"))
    FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=True)
    text = client_of(person).get(PAGE).content.decode()
    assert "album_art" in text
    assert door("1") not in text
    assert off_door() not in text
    for answer in (client.get(door("1")), send(client, "1"), client.post(off_door())):
        assert answer.status_code == 403
    assert not FlagChange.objects.exists()


def test_the_page_costs_the_same_whatever_was_changed_and_named(staff, make_person, django_assert_max_num_queries):
    for _ in range(30):
        FlagChangeFactory(changed_by=make_person())
    for flag in FieldFlag.objects.all():
        flag.users.set([make_person() for _ in range(3)])
    # The login, the person, badges, flags with people and groups, the last moves, what holds.
    with django_assert_max_num_queries(13):
        staff.get(PAGE)
