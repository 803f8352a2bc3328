from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from flags.models import FieldFlag, FlagChange
from flags.registry import ALBUM_ART, FLAG_NAMES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeded")]


def run(*text):
    out = StringIO()
    call_command("flags", *text, stdout=out)
    return out.getvalue()


def test_list_prints_every_flag_with_its_state():
    lines = run("list").splitlines()
    assert {line.split()[0] for line in lines} == FLAG_NAMES
    assert all(line.endswith(" off") for line in lines)


def test_changes_are_recorded(make_user):
    user = make_user()
    assert run("percent", ALBUM_ART, "25", "--reason", "Pilot", "--by", user.email) == f"{ALBUM_ART}: off -> 25 %\n"
    assert run("on", ALBUM_ART, "--reason", "All") == f"{ALBUM_ART}: 25 % -> on for everyone\n"
    assert "nothing recorded" in run("on", ALBUM_ART, "--reason", "All")
    run("off", ALBUM_ART, "--reason", "Stop")
    assert FieldFlag.objects.get(name=ALBUM_ART).everyone is False
    assert [(one.reason, one.changed_by) for one in FlagChange.objects.order_by("pk")] == [
        ("Pilot", user),
        ("All", None),
        ("Stop", None),
    ]


def test_stage_sets_stages_up_to_the_limit_of_a_guard(block_flag):
    block_flag(ALBUM_ART)
    assert run("stage", ALBUM_ART, "staff", "--reason", "Pilot") == f"{ALBUM_ART}: off -> staff\n"
    assert run("stage", ALBUM_ART, "10", "--reason", "More") == f"{ALBUM_ART}: staff -> 10 % + staff\n"
    with pytest.raises(CommandError, match="not finalised"):
        run("stage", ALBUM_ART, "100", "--reason", "All")
    assert run("stage", ALBUM_ART, "off", "--reason", "Back") == f"{ALBUM_ART}: 10 % + staff -> off\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (["on", ALBUM_ART], "reason is required"),
        (["on", "no_such_flag", "--reason", "x"], "no flag"),
        (["percent", ALBUM_ART, "100", "--reason", "x"], "99.9"),
        (["on", ALBUM_ART, "--reason", "x", "--by", "nobody@example.com"], "No user has"),
        (["stage", ALBUM_ART, "25", "--reason", "x"], "has the stages off, staff, 1, 10, 50, 100"),
        (["stage", ALBUM_ART, "1"], "reason is required"),
        (["dance"], "invalid choice"),
    ],
)
def test_errors_are_messages_and_change_nothing(text, message):
    with pytest.raises(CommandError, match=message):
        run(*text)
    assert not FlagChange.objects.exists()


@pytest.mark.parametrize("name", ["waffle_flag", "waffle_delete"])
def test_commands_of_waffle_are_disabled(name):
    with pytest.raises(CommandError, match=r"manage\.py flags"):
        call_command(name, ALBUM_ART)
