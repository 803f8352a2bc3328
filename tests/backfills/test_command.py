"""The commands `backfill` and `backfill_assets`."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
from celery import current_app
from django.core.management import CommandError, call_command
from django.db import connection

from assets.models import Asset
from backfills.models import BackfillChange, BackfillGlobalPause, BackfillRun
from tests.factories.albumart import make_song
from tests.factories.assets import make_assets
from tests.support.backfills import DescribeByName, registered, table_hash
from tests.support.processes import ENVIRONMENT, PROJECT, ended_at_last, wait_until

pytestmark = pytest.mark.django_db

RULE = "assets.creator_description"


def _invoke(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_plan_run_finalise_reopen_undo() -> None:
    make_assets(12, description="Asset Silk and rust (L.CAS.ATL)")
    before = table_hash()
    output = _invoke("backfill", "plan", RULE, "--param", "from=description")
    assert "12  change" in output
    assert "by layer: L 12" in output
    digest = output.splitlines()[-1].removeprefix("Plan ")
    output = _invoke("backfill", "run", RULE, "--plan", digest, "--batch-size", "5")
    assert "finished: 12 of 12 rows, 12 changed" in output
    assert set(Asset.objects.values_list("creator_description", flat=True)) == {"Silk and rust"}
    assert ", finalised" in _invoke("backfill", "finalise", RULE)
    with pytest.raises(CommandError, match="reopen it first"):
        _invoke("backfill", "undo", RULE)
    _invoke("backfill", "reopen", RULE)
    assert "12 values would be restored" in _invoke("backfill", "undo", RULE, "--dry-run")
    assert "undone" in _invoke("backfill", "undo", RULE)
    assert table_hash() == before


def test_a_stale_plan_is_rejected() -> None:
    make_assets(2)
    digest = _invoke("backfill", "plan", RULE).splitlines()[-1].removeprefix("Plan ")
    make_assets(1)
    with pytest.raises(CommandError, match="Make a new plan"):
        _invoke("backfill", "run", RULE, "--plan", digest)
    with pytest.raises(CommandError, match="No planned run"):
        _invoke("backfill", "run", RULE, "--plan", "f" * 64)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["plan", "no.such"], "There is no rule 'no.such'. Registered rules: albumart"),
        (["run", RULE, "--param", "colour=red"], "takes no parameter colour"),
        (["run", RULE, "--param", "from=tea"], "from must be name or description"),
        (["run", RULE, "--param", "registered_before=soon"], "registered_before must be a date"),
        (["run", RULE, "--batch-size", "0"], "batch_size must be between 1 and 5000"),
        (["pause", RULE], "There is no such run"),
        (["undo", RULE, "--run", "404"], "There is no such run"),
    ],
)
def test_errors_are_printed(words: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        _invoke("backfill", *words)


def test_pause_resume_cancel_adjust_force_status() -> None:
    make_assets(12)
    _invoke("backfill", "run", RULE, "--background")
    assert "paused" in _invoke("backfill", "pause", RULE)
    _invoke("backfill", "adjust", RULE, "--batch-size", "7", "--sleep-ratio", "0.5")
    [status] = json.loads(_invoke("backfill", "status", RULE, "--json"))
    assert (status["state"], status["batchSize"], status["sleepRatio"]) == ("paused", 7, 0.5)
    with pytest.raises(CommandError, match="no worker can have its lease"):
        _invoke("backfill", "force-unlock", RULE)
    assert "finished" in _invoke("backfill", "resume", RULE)
    with pytest.raises(CommandError, match="cannot become cancelled"):
        _invoke("backfill", "cancel", RULE)
    assert "finished: 12 of 12" in _invoke("backfill", "status")


def test_pause_all_and_resume_all() -> None:
    assert "All runs paused" in _invoke("backfill", "pause-all", "--reason", "release day")
    assert BackfillGlobalPause.objects.get().reason == "release day"
    assert "release day" in _invoke("backfill", "status")
    assert "All runs resumed" in _invoke("backfill", "resume-all")
    assert "The runs were not paused" in _invoke("backfill", "resume-all")


def test_failed_rows_are_printed_and_retried() -> None:
    assets = make_assets(5)
    with registered(DescribeByName()) as rule:
        rule.answer = lambda row: {}["nothing"] if row["pk"] == assets[0].pk else None
        assert f"failed: {assets[0].name}: KeyError" in _invoke("backfill", "run", rule.name)
        rule.answer = lambda row: None
        assert "written, by command" in _invoke("backfill", "retry", rule.name)


def test_backfill_assets_fills_both_fields_and_requests_artwork() -> None:
    make_assets(3)
    words = "Silver Lantern by Low Tide Choir"
    song = make_song(album_art="https://pictures.example/cover.jpg", description=f"{words}. Slow and low.")
    output = _invoke("backfill_assets", "--dry-run", "--songs")
    assert output.count("Plan ") == 3
    assert not BackfillChange.objects.exists()
    _invoke("backfill_assets", "--from", "description", "--songs")
    song.refresh_from_db()
    assert song.creator_description == words
    assert song.ai_metadata["generatedBy"] == "Legacy"
    assert song.artworks.get().source_url == "https://pictures.example/cover.jpg"
    assert Asset.objects.filter(ai_metadata_origin="backfill").count() == 4
    assert "no row needs a value" in _invoke("backfill_assets")


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_pauses_and_resume_finishes() -> None:
    make_assets(400)
    script = (
        "import sys, django; django.setup()\n"
        "from django.db import connection\n"
        f"connection.settings_dict['NAME'] = {connection.settings_dict['NAME']!r}\n"
        "from django.core.management import call_command\n"
        f"call_command('backfill', 'run', {RULE!r}, '--batch-size', '10', '--sleep-ratio', '20')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env=ENVIRONMENT, cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with ended_at_last(process):
        wait_until(lambda: BackfillRun.objects.filter(changed_rows__gte=20).exists(), 30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert "Paused" in out, err[-1500:]
    run = BackfillRun.objects.get()
    assert (run.state, run.lease_token) == ("paused", None)
    assert 20 <= run.changed_rows < 400
    assert "finished: 400 of 400" in _invoke("backfill", "resume", RULE)


@pytest.fixture(autouse=True)
def quiet_queue() -> Iterator[None]:
    """Delete the messages that `--background` sent, because no worker runs."""
    yield
    with current_app.pool.acquire(block=True) as held:
        held.default_channel.client.delete("celery")
