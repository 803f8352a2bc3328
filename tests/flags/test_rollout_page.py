"""The rollout page over HTTP; `tests/integration/test_rollout.py` uses a browser."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from flags.models import FieldFlag, FlagChange
from flags.registry import ALBUM_ART, ALBUM_ART_PIPELINE, FLAG_NAMES
from tests.factories.flags import FlagChangeFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeded")]

PAGE = reverse("admin:flags_rollout")


def stage_url(stage, name=ALBUM_ART):
    return reverse("admin:flags_rollout_stage", args=[name, stage])


def disable_url(name=ALBUM_ART):
    return reverse("admin:flags_rollout_disable", args=[name])


def send(client, stage, reason="Pilot", name=ALBUM_ART):
    return client.post(stage_url(stage, name), {"_form_submitted": "on", "reason": reason})


@pytest.fixture
def client_of():
    def log_in(user):
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def staff(client_of, superuser):
    return client_of(superuser)


def test_page_lists_every_flag_with_its_stages(staff):
    text = staff.get(PAGE).content.decode()
    assert all(f'data-flag="{name}"' in text for name in FLAG_NAMES)
    for stage in ("staff", "1", "10", "50", "100"):
        assert stage_url(stage) in text
    assert stage_url("off") not in text  # the current stage has no button
    assert stage_url("100", ALBUM_ART_PIPELINE) in text
    assert stage_url("10", ALBUM_ART_PIPELINE) not in text
    assert reverse("admin:flags_rollout") in staff.get(reverse("admin:index")).content.decode()
    list_page = staff.get(reverse("admin:flags_fieldflag_changelist")).content.decode()
    assert reverse("admin:flags_fieldflag_open_rollout") in list_page
    assert staff.get(reverse("admin:flags_fieldflag_open_rollout")).headers["Location"] == PAGE


def test_setting_a_stage_requires_a_reason(staff, superuser):
    assert "1 % of users and services" in staff.get(stage_url("1")).content.decode()
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


def test_turns_a_flag_off_with_one_click(staff, superuser):
    FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=True)
    assert disable_url() in staff.get(PAGE).content.decode()
    assert staff.get(disable_url()).status_code == 405
    assert staff.post(disable_url()).headers["Location"] == PAGE
    change = FlagChange.objects.get()
    assert (change.after["everyone"], change.changed_by) == (False, superuser)
    assert change.reason
    assert disable_url() not in staff.get(PAGE).content.decode()


def test_a_blocked_stage_has_no_button_and_is_rejected(staff, block_flag):
    block_flag(ALBUM_ART)
    text = staff.get(PAGE).content.decode()
    assert "Blocked above 50 %: its backfill is not finalised" in text
    assert stage_url("50") in text
    assert stage_url("100") not in text
    assert send(staff, "100").headers["HX-Redirect"] == PAGE
    assert "may not go above 50 %" in staff.get(PAGE).content.decode()
    assert not FlagChange.objects.exists()


def test_the_form_of_a_flag_shows_the_reason_of_a_block(staff, block_flag):
    block_flag(ALBUM_ART)
    page = reverse("admin:flags_fieldflag_change", args=[FieldFlag.objects.get(name=ALBUM_ART).pk])
    response = staff.post(page, {"everyone": "true", "reason": "for all"})
    assert response.status_code == 200
    assert "its backfill is not finalised" in response.content.decode()
    assert not FlagChange.objects.exists()


def test_page_shows_custom_settings(staff):
    FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=None, percent=25)
    text = staff.get(PAGE).content.decode()
    assert "custom" in text
    assert "25 %" in text


@pytest.mark.parametrize(
    "url", [stage_url("25"), stage_url("custom"), stage_url("1", "no_such_flag"), stage_url("10", "album_art_pipeline")]
)
def test_unknown_stages_are_404(staff, url):
    assert staff.get(url).status_code == 404
    assert staff.post(url, {"_form_submitted": "on", "reason": "Pilot"}).status_code == 404
    assert not FlagChange.objects.exists()


def test_user_with_view_permission_sees_no_buttons(client_of, make_user):
    user = make_user(is_staff=True)
    client = client_of(user)
    assert client.get(PAGE).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename="view_fieldflag"))
    FieldFlag.objects.filter(name=ALBUM_ART).update(everyone=True)
    text = client_of(user).get(PAGE).content.decode()
    assert "album_art" in text
    assert stage_url("1") not in text
    assert disable_url() not in text
    for response in (client.get(stage_url("1")), send(client, "1"), client.post(disable_url())):
        assert response.status_code == 403
    assert FieldFlag.objects.get(name=ALBUM_ART).everyone is True
    assert not FlagChange.objects.exists()


def test_query_count_of_the_page_does_not_grow(staff, make_user, django_assert_max_num_queries):
    for _ in range(30):
        FlagChangeFactory(changed_by=make_user())
    for flag in FieldFlag.objects.all():
        flag.users.set([make_user() for _ in range(3)])
    # Session, user, badges, flags with users and groups, last changes, guards.
    with django_assert_max_num_queries(13):
        staff.get(PAGE)
