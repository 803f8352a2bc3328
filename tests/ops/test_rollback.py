"""Emergency rollback of a registry with filled and visible gated fields."""

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

# With real commits, because the check runs in a read-only snapshot of its own.
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


def run(*arguments):
    """Return the exit code and the output."""
    out = StringIO()
    try:
        call_command("rollback_release", *arguments, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def get_all(*clients):
    """Return every response without its timestamp."""
    responses = [client.get(path).content for client in clients for path in PATHS]
    return [content.partition(b'"metadata":{"timestamp"')[0] for content in responses]


def test_a_rollback_of_all_flags_restores_the_responses(operator, editor_api, service_api):
    load_demo(asset_count=300, now=timezone.now())
    Asset.objects.filter(creator_description=None).update(**GATED)
    make_stored()
    before = get_all(editor_api, service_api)
    for name in FLAG_NAMES:
        set_stage(name=name, stage="100", by=operator, reason="Release", now=timezone.now())
    assert get_all(editor_api, service_api) != before

    code, printed = run("--reason", "Responses are slow", "--by", operator.email)

    sys.stdout.write(printed)  # `pytest -s` shows the duration of each step
    assert code == 0
    assert get_all(editor_api, service_api) == before
    assert flags_on() == {}
    assert "album_art: on for everyone -> off" in printed
    assert "responses equal the recordings" in printed
    changes = FlagChange.objects.filter(reason="Responses are slow")
    assert {(change.flag_name, change.changed_by) for change in changes} == {(name, operator) for name in FLAG_NAMES}
    assert Asset.objects.filter(creator_description=GATED["creator_description"]).exists()


def test_a_dry_run_prints_the_changes_and_makes_none(operator):
    FieldFlag.objects.filter(name=CREATOR_DESCRIPTION).update(everyone=None, percent=25, staff=True)
    code, printed = run("--reason", "Only looking", "--dry-run")
    assert code == 0
    assert "creator_description: 25 % + staff" in printed
    assert "creator_description would be turned off" in printed
    assert "would change back to the recordings" in printed
    assert "asset.data has the unexpected keys creatorDescription" in printed
    assert "Nothing was changed" in printed
    assert not FlagChange.objects.exists()


def test_except_flag_keeps_flags_and_turns_off_the_others(operator):
    FieldFlag.objects.update(everyone=True)
    code, printed = run("--reason", "Texts are wrong", "--except-flag", ALBUM_ART, "--except-flag", ALBUM_ART_PIPELINE)
    assert code == 0, printed
    assert set(flags_on()) == {ALBUM_ART, ALBUM_ART_PIPELINE}
    assert "album_art: on for everyone (not changed)" in printed
    assert "(except fields of album_art, album_art_pipeline)" in printed


def test_flags_turns_off_only_the_named_flags(operator):
    FieldFlag.objects.update(everyone=True)
    code, printed = run("--reason", "Wrong texts", "--flags", f"{AI_METADATA}, {CREATOR_DESCRIPTION}")
    assert code == 0, printed
    assert set(flags_on()) == FLAG_NAMES - {AI_METADATA, CREATOR_DESCRIPTION}


def test_the_check_leaves_no_trace_in_the_database(operator, service_api):
    users, keys = list(User.objects.values()), list(ServiceKey.objects.values())
    code, printed = run("--reason", "Rehearsal")
    assert code == 0
    assert f"requests as {operator.email} and as service:" in printed
    assert (list(User.objects.values()), list(ServiceKey.objects.values())) == (users, keys)
    assert not FlagChange.objects.exists()  # all were off


def test_writes_fail_during_the_check():
    with pytest.raises(InternalError, match="read-only"), read_only_snapshot():
        FieldFlag.objects.update(everyone=True)
    assert connection.get_autocommit()


def test_finds_a_flag_that_is_turned_on_during_the_rollback(operator):
    def switch_on(plan):
        set_stage(name=AI_METADATA, stage="100", by=None, reason="Did not know", now=timezone.now())
        return StepResult(["somebody else"])

    off, check = STEPS[1], STEPS[2]
    plan = plan_rollback(reason="x", by=operator, now=timezone.now())
    last = list(execute_rollback(plan, [off, Step("meanwhile", switch_on), check]))[-1]
    assert not last.succeeded
    text = "\n".join(last.result.lines)
    assert "differ from the recordings" in text
    assert "2 x asset.data has the unexpected keys aiMetadata, e.g. user /api/assets/L.CAS.ATL.001" in text
    assert "asset_array.data[] has the unexpected keys aiMetadata" in text


def test_without_an_active_user_the_flags_are_still_turned_off():
    UserFactory(is_active=False)
    FieldFlag.objects.update(everyone=True)
    code, printed = run("--reason", "Nobody here")
    assert code == 1
    assert flags_on() == {}
    assert "no active user" in printed


def test_without_recordings_the_flags_are_still_turned_off(operator, settings, tmp_path):
    settings.BASE_DIR = tmp_path
    FieldFlag.objects.update(everyone=True)
    code, printed = run("--reason", "Cut-down image")
    assert code == 1
    assert flags_on() == {}
    assert "recorded responses are missing" in printed


def test_the_check_of_an_empty_registry_records_that_it_proves_little(operator, registry):
    Asset.objects.all().delete()
    code, printed = run("--reason", "Empty")
    assert code == 0, printed
    assert "in the sample: 0, with gated values: 0" in printed
    assert "proves little" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--reason", " "], "reason is required"),
        (["--reason", "x" * 201], "reason"),
        (["--reason", "x", "--flags", "album_art,no_such_flag"], "no flag 'no_such_flag'"),
        (["--reason", "x", "--flags", " , "], "--flags is empty"),
        (["--reason", "x", "--except-flag", "no_such_flag"], "no flag"),
        (["--reason", "x", "--flags", "album_art", "--except-flag", "album_art"], "All flags are excluded"),
        (["--reason", "x", "--by", "nobody@example.com"], "no user with the email"),
        (["--reason", "x", "--by", "gone@example.com"], "is inactive"),
        ([], "--reason"),
    ],
)
def test_rejects_bad_input_before_any_change(arguments, message):
    UserFactory(email="gone@example.com", is_active=False)
    FieldFlag.objects.update(everyone=True)
    with pytest.raises(CommandError, match=message):
        run(*arguments)
    assert set(flags_on()) == FLAG_NAMES


def test_steps_after_a_failed_step_are_skipped():
    done = []
    steps = [
        Step("looks", lambda plan: StepResult(["seen"])),
        Step("finds", lambda plan: StepResult(["different"], succeeded=False)),
        Step("changes data", lambda plan: done.append(plan) or StepResult([])),
    ]
    plan = plan_rollback(reason="x", by=None, now=timezone.now())
    records = list(execute_rollback(plan, steps))
    assert [record.succeeded for record in records] == [True, False, False]
    assert records[2].result is None
    assert done == []


def test_what_is_kept_is_what_is_not_meant():
    plan = plan_rollback(reason="x", by=None, now=timezone.now(), only=[ALBUM_ART, AI_METADATA], keep=[AI_METADATA])
    assert plan.names == {ALBUM_ART}
    assert plan.kept == FLAG_NAMES - {ALBUM_ART}
    with pytest.raises(InvalidInput):
        plan_rollback(reason="x", by=None, now=timezone.now(), keep=FLAG_NAMES)


def test_undo_backfills_restores_values_that_users_did_not_change(operator, registry):
    Asset.objects.update(creator_description=None, ai_metadata=None)
    make_assets(30)
    before = table_hash()
    running = started(AI_METADATA_RULE)
    finalised = started(CREATOR_DESCRIPTION_RULE)
    run_to_the_end(finalised)
    finalise(finalised.run_pk, by="theo", now=timezone.now())
    run_next_batch(running, now=timezone.now())
    code, printed = run("--reason", "rehearsal", "--by", operator.email)
    assert (code, "2 runs have values in the table" in printed) == (0, True)
    code, printed = run("--reason", "rehearsal", "--by", operator.email, "--undo-backfills", "--dry-run")
    assert (code, "31 values would be restored" in printed) == (0, True)
    assert run_of(finalised).state == "finalised"
    Asset.objects.filter(pk=registry.pk).update(creator_description="text of a user", creator_description_origin="")
    started_at = time.perf_counter()
    code, printed = run("--reason", "rehearsal", "--by", operator.email, "--undo-backfills")
    sys.stdout.write(f"rolled back with two backfills in {time.perf_counter() - started_at:.2f} s\n")
    assert code == 0
    assert "undone, 30 values restored, 1 conflicts" in printed
    assert f"creator_description of row {registry.pk}: conflict, not changed" in printed
    Asset.objects.filter(pk=registry.pk).update(creator_description=None)
    assert table_hash() == before
    assert {run_of(running).state, run_of(finalised).state} == {"undone"}


def test_a_column_locked_by_another_run_fails_the_step(operator):
    make_assets(12)
    first = started(CREATOR_DESCRIPTION_RULE)
    run_to_the_end(first)
    make_assets(12)
    with registered(DescribeByName()) as rule:
        holder = started(rule)  # has written nothing, so it is not undone
        code, printed = run("--reason", "rehearsal", "--by", operator.email, "--undo-backfills")
        assert code == 1
        assert f"run {holder.run_pk} of tests.describe, running" in printed
