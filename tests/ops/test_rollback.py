"""The emergency rollback, rehearsed on a registry whose gated fields are filled and shown."""

import sys
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, connection
from django.utils import timezone

from accounts.models import ServiceKey, User
from assets.backfill_rules import AI_METADATA_RULE, CREATOR_DESCRIPTION_RULE
from assets.demo import load_demo
from assets.models import Asset
from backfills.run_control import finalise
from common.errors import InvalidInput
from flags.models import FieldFlag, FlagChange
from flags.registry import AI_METADATA, ALBUM_ART, ALBUM_ART_PIPELINE, CREATOR_DESCRIPTION, FLAG_NAMES
from flags.rollout import flags_on, set_stage
from jobs.batches import run_next_batch
from ops.internal_client import read_only_snapshot
from ops.rollback import STEPS, Step, StepResult, execute_rollback, plan_rollback
from taxonomy.sync import install_starter_taxonomy
from tests.factories.accounts import AdminFactory, UserFactory
from tests.factories.albumart import make_stored
from tests.factories.assets import make_asset, make_assets
from tests.support.backfills import DescribeByName, registered, run_of, run_to_the_end, started, table_hash
from tests.support.flag_states import set_flags

# Committed for real: the check asks the database for one moment that nothing can be written in.
pytestmark = pytest.mark.django_db(transaction=True)

GATED = {
    "creator_description": "Made of marmalade",
    "album_art": "https://pictures.example/cover.jpg",
    "ai_metadata": {"generatedDescription": "woollen garment", "mood": "cosy", "bpm": 90},
}
PATHS = (
    "/api/assets?limit=1000",
    "/api/assets?search=marmalade",
    "/api/assets?search=coat",
    "/api/assets/L.CAS.ATL.001",
    "/api/assets/address/L.001.002.001",
    "/api/assets/L.CAS.ATL.001/metadata",
    "/api/assets/search?q=woollen",
)


@pytest.fixture(autouse=True)
def registry():
    with set_flags():
        install_starter_taxonomy(now=timezone.now())
        yield make_asset(description="A winter coat", **GATED)


@pytest.fixture
def operator():
    return AdminFactory(email="theo@studio.example")


def run(*words):
    """(exit code, what was printed)"""
    out = StringIO()
    try:
        call_command("rollback_release", *words, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def ask(*clients):
    """Every answer without its timestamp."""
    answers = [client.get(path).content for client in clients for path in PATHS]
    return [content.partition(b'"metadata":{"timestamp"')[0] for content in answers]


def test_a_rehearsal_with_everything_shown_ends_at_the_answers_of_before(operator, editor_api, service_api):
    load_demo(asset_count=300, now=timezone.now())
    Asset.objects.filter(creator_description=None).update(**GATED)
    make_stored()
    before = ask(editor_api, service_api)
    for name in FLAG_NAMES:
        set_stage(name=name, stage="100", by=operator, reason="Release", now=timezone.now())
    assert ask(editor_api, service_api) != before

    code, printed = run("--reason", "Answers are slow", "--by", operator.email)

    sys.stdout.write(printed)  # shown by `pytest -s`: how long each step took
    assert code == 0
    assert ask(editor_api, service_api) == before
    assert flags_on() == {}
    assert "album_art: on for everyone -> off" in printed
    assert "answers are the recorded ones" in printed
    changes = FlagChange.objects.filter(reason="Answers are slow")
    assert {(change.flag_name, change.changed_by) for change in changes} == {(name, operator) for name in FLAG_NAMES}
    assert Asset.objects.filter(creator_description=GATED["creator_description"]).exists()


def test_a_dry_run_tells_what_would_change_and_changes_nothing(operator):
    FieldFlag.objects.filter(name=CREATOR_DESCRIPTION).update(everyone=None, percent=25, staff=True)
    code, printed = run("--reason", "Only looking", "--dry-run")
    assert code == 0
    assert "creator_description: 25 % + staff" in printed
    assert "creator_description would go off" in printed
    assert "would become the recorded ones" in printed
    assert "asset.data has creatorDescription on top" in printed
    assert "Nothing was changed" in printed
    assert not FlagChange.objects.exists()


def test_keeps_what_it_is_told_to_keep_and_switches_off_the_rest(operator):
    FieldFlag.objects.update(everyone=True)
    code, printed = run("--reason", "Texts are wrong", "--except-flag", ALBUM_ART, "--except-flag", ALBUM_ART_PIPELINE)
    assert code == 0, printed
    assert set(flags_on()) == {ALBUM_ART, ALBUM_ART_PIPELINE}
    assert "album_art: on for everyone (is kept)" in printed
    assert "(but for what album_art, album_art_pipeline may show)" in printed


def test_switches_off_only_those_named(operator):
    FieldFlag.objects.update(everyone=True)
    code, printed = run("--reason", "Wrong texts", "--flags", f"{AI_METADATA}, {CREATOR_DESCRIPTION}")
    assert code == 0, printed
    assert set(flags_on()) == FLAG_NAMES - {AI_METADATA, CREATOR_DESCRIPTION}


def test_nothing_is_left_of_asking(operator, service_api):
    people, keys = list(User.objects.values()), list(ServiceKey.objects.values())
    code, printed = run("--reason", "Rehearsal")
    assert code == 0
    assert f"asked as {operator.email} and as service:" in printed
    assert (list(User.objects.values()), list(ServiceKey.objects.values())) == (people, keys)
    assert not FlagChange.objects.exists()  # all were off


def test_while_the_doors_are_asked_the_database_takes_no_write():
    with pytest.raises(InternalError, match="read-only"), read_only_snapshot():
        FieldFlag.objects.update(everyone=True)
    assert connection.get_autocommit()


def test_finds_what_somebody_switches_on_again_meanwhile(operator):
    def switch_on(wish):
        set_stage(name=AI_METADATA, stage="100", by=None, reason="Did not know", now=timezone.now())
        return StepResult(["somebody else"])

    off, check = STEPS[1], STEPS[2]
    wish = plan_rollback(reason="x", by=operator, now=timezone.now())
    last = list(execute_rollback(wish, [off, Step("meanwhile", switch_on), check]))[-1]
    assert not last.succeeded
    text = "\n".join(last.outcome.lines)
    assert "are not the recorded ones" in text
    assert "2 x asset.data has aiMetadata on top, lacks nothing, such as person /api/assets/L.CAS.ATL.001" in text
    assert "asset_array.data[] has aiMetadata on top" in text


def test_without_an_active_person_the_flags_still_go_off():
    UserFactory(is_active=False)
    FieldFlag.objects.update(everyone=True)
    code, printed = run("--reason", "Nobody here")
    assert code == 1
    assert flags_on() == {}
    assert "no active person" in printed


def test_without_the_recorded_answers_the_flags_still_go_off(operator, settings, tmp_path):
    settings.BASE_DIR = tmp_path
    FieldFlag.objects.update(everyone=True)
    code, printed = run("--reason", "Cut-down image")
    assert code == 1
    assert flags_on() == {}
    assert "recorded answers are not there" in printed


def test_an_empty_registry_says_that_it_shows_little(operator, registry):
    Asset.objects.all().delete()
    code, printed = run("--reason", "Empty")
    assert code == 0, printed
    assert "in the sample: 0, with gated values: 0" in printed
    assert "shows little" in printed


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--reason", " "], "reason is required"),
        (["--reason", "x" * 201], "reason"),
        (["--reason", "x", "--flags", "album_art,no_such_flag"], "no flag 'no_such_flag'"),
        (["--reason", "x", "--flags", " , "], "names no flag"),
        (["--reason", "x", "--except-flag", "no_such_flag"], "no flag"),
        (["--reason", "x", "--flags", "album_art", "--except-flag", "album_art"], "nothing is left"),
        (["--reason", "x", "--by", "nobody@example.com"], "Nobody has the address"),
        (["--reason", "x", "--by", "gone@example.com"], "is deactivated"),
        ([], "--reason"),
    ],
)
def test_refuses_bad_input_before_it_touches_anything(words, says):
    UserFactory(email="gone@example.com", is_active=False)
    FieldFlag.objects.update(everyone=True)
    with pytest.raises(CommandError, match=says):
        run(*words)
    assert set(flags_on()) == FLAG_NAMES


def test_a_step_that_is_not_fine_leaves_those_behind_it_undone():
    done = []
    steps = [
        Step("looks", lambda wish: StepResult(["seen"])),
        Step("finds", lambda wish: StepResult(["different"], succeeded=False)),
        Step("changes data", lambda wish: done.append(wish) or StepResult([])),
    ]
    wish = plan_rollback(reason="x", by=None, now=timezone.now())
    reports = list(execute_rollback(wish, steps))
    assert [report.succeeded for report in reports] == [True, False, False]
    assert reports[2].outcome is None
    assert done == []


def test_what_is_kept_is_what_is_not_meant():
    wish = plan_rollback(reason="x", by=None, now=timezone.now(), only=[ALBUM_ART, AI_METADATA], keep=[AI_METADATA])
    assert wish.names == {ALBUM_ART}
    assert wish.kept == FLAG_NAMES - {ALBUM_ART}
    with pytest.raises(InvalidInput):
        plan_rollback(reason="x", by=None, now=timezone.now(), keep=FLAG_NAMES)


def test_backfills_are_undone_only_when_asked_and_what_people_changed_stays(operator, registry):
    Asset.objects.update(creator_description=None, ai_metadata=None)
    make_assets(30)
    before = table_hash()
    running = started(AI_METADATA_RULE)
    finalised = started(CREATOR_DESCRIPTION_RULE)
    run_to_the_end(finalised)
    finalise(finalised.run_pk, by="theo", now=timezone.now())
    run_next_batch(running, now=timezone.now())
    code, told = run("--reason", "rehearsal", "--by", operator.email)
    assert (code, "2 runs have values in the table" in told) == (0, True)
    code, told = run("--reason", "rehearsal", "--by", operator.email, "--undo-backfills", "--dry-run")
    assert (code, "31 values would be put back" in told) == (0, True)
    assert run_of(finalised).state == "finalised"
    Asset.objects.filter(pk=registry.pk).update(creator_description="a person's", creator_description_origin="")
    began = time.perf_counter()
    code, told = run("--reason", "rehearsal", "--by", operator.email, "--undo-backfills")
    sys.stdout.write(f"rolled back with two backfills in {time.perf_counter() - began:.2f} s\n")
    assert code == 0
    assert "undone, 30 values put back, 1 conflicts" in told
    assert f"creator_description of row {registry.pk}: conflict, left as it is" in told
    Asset.objects.filter(pk=registry.pk).update(creator_description=None)
    assert table_hash() == before
    assert {run_of(running).state, run_of(finalised).state} == {"undone"}


def test_a_column_that_another_run_holds_ends_the_rollback_there(operator):
    make_assets(12)
    first = started(CREATOR_DESCRIPTION_RULE)
    run_to_the_end(first)
    make_assets(12)
    with registered(DescribeByName()) as rule:
        holder = started(rule)  # nothing written yet, so it is not among those to be undone
        code, told = run("--reason", "rehearsal", "--by", operator.email, "--undo-backfills")
        assert code == 1
        assert f"run {holder.run_pk} of tests.describe, running" in told
