"""The data migration: forwards, backwards, forwards again, with no rows and with too many."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.exceptions import IrreversibleError
from django.utils import timezone
from pytest_django import Settings

from assets.backfill_rules import AI_METADATA_RULE, CREATOR_DESCRIPTION_RULE
from assets.models import Asset
from backfills.engine.data_migrations import run_in_migration, undo_in_migration
from backfills.models import BackfillRun
from backfills.run_control import finalise
from jobs.batches import run_next_batch
from tests.factories.assets import make_asset, make_assets
from tests.support.backfills import BY, run_to_the_end, started, table_hash

RULES = (CREATOR_DESCRIPTION_RULE, AI_METADATA_RULE)
BEFORE, AFTER = "0005_value_origins", "0008_fill_legacy_values"


@pytest.fixture
def migrated_back() -> Iterator[None]:
    """Migrate to the newest schema after the test."""
    yield
    call_command("migrate", "assets", verbosity=0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("migrated_back")
def test_forwards_backwards_forwards_ends_in_the_same_state(capsys: pytest.CaptureFixture[str]) -> None:
    make_assets(230)
    kept = make_asset(creator_description="words of a person", ai_metadata={"mood": "calm"})
    call_command("migrate", "assets", BEFORE, verbosity=0)
    before = table_hash()
    call_command("migrate", "assets", AFTER, verbosity=0)
    filled = table_hash()
    assert "run" in capsys.readouterr().out
    assert Asset.objects.filter(creator_description=None).count() == 0
    assert BackfillRun.objects.filter(requested_by="migrate", state="finished", changed_rows=230).count() == 2
    assert BackfillRun.objects.values_list("batch_size", flat=True).distinct().get() == 100
    kept.refresh_from_db()
    assert (kept.creator_description, kept.creator_description_origin) == ("words of a person", "")
    call_command("migrate", "assets", BEFORE, verbosity=0)
    assert table_hash() == before
    call_command("migrate", "assets", AFTER, verbosity=0)
    assert table_hash() == filled


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("migrated_back")
def test_an_upgrade_from_the_release_that_had_0006_fills_nothing() -> None:
    call_command("migrate", "assets", "0007_field_terms", verbosity=0)
    make_assets(3)
    before = table_hash()
    call_command("migrate", "assets", AFTER, verbosity=0)
    assert table_hash() == before
    assert not BackfillRun.objects.exists()


@pytest.mark.django_db
def test_does_nothing_after_an_operators_run() -> None:
    make_assets(5)
    for rule in RULES:
        run_to_the_end(started(rule))
        run_in_migration(apps, rule, max_rows=100, write=pytest.fail)
        undo_in_migration(apps, rule, write=pytest.fail)
    assert BackfillRun.objects.filter(requested_by=BY).count() == BackfillRun.objects.count() == 2
    assert Asset.objects.filter(creator_description_origin="backfill").count() == 5


@pytest.mark.django_db
def test_skips_large_tables_with_a_note(settings: Settings) -> None:
    make_assets(5)
    notes: list[str] = []
    run_in_migration(apps, CREATOR_DESCRIPTION_RULE, max_rows=4, write=notes.append)
    assert "5 rows are too many for a migration (limit 4). Run `backfill run" in notes[0]
    assert not BackfillRun.objects.exists()


@pytest.mark.django_db
def test_skips_columns_that_another_run_has_locked() -> None:
    make_assets(5)
    holder = started(CREATOR_DESCRIPTION_RULE)
    notes: list[str] = []
    run_in_migration(apps, CREATOR_DESCRIPTION_RULE, max_rows=100, write=notes.append)
    assert f"run {holder.run_pk} of assets.creator_description, running" in notes[0]


@pytest.mark.django_db
def test_continues_an_interrupted_migration() -> None:
    make_assets(25)
    context = started(CREATOR_DESCRIPTION_RULE)
    run_next_batch(context, now=timezone.now())
    BackfillRun.objects.update(requested_by="migrate")
    run_in_migration(apps, CREATOR_DESCRIPTION_RULE, max_rows=1, write=lambda text: None)
    run = BackfillRun.objects.get()
    assert (run.state, run.changed_rows) == ("finished", 25)


@pytest.mark.django_db
def test_undoes_finalised_unfinished_and_planned_runs() -> None:
    make_assets(12)
    before = table_hash()
    half = started(CREATOR_DESCRIPTION_RULE, batch_size=5)
    run_next_batch(half, now=timezone.now())
    whole = started(AI_METADATA_RULE)
    run_to_the_end(whole)
    finalise(whole.run_pk, by=BY, now=timezone.now())
    BackfillRun.objects.update(requested_by="migrate")
    for rule in RULES:
        undo_in_migration(apps, rule, write=lambda text: None)
        undo_in_migration(apps, rule, write=pytest.fail)
    assert table_hash() == before
    assert set(BackfillRun.objects.values_list("state", flat=True)) == {"undone"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM backfills_backfillcolumnlock")
        assert cursor.fetchone()[0] == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("migrated_back")
def test_origin_columns_cannot_be_removed_while_values_are_filled() -> None:
    make_assets(3)
    run_to_the_end(started(CREATOR_DESCRIPTION_RULE))
    with pytest.raises(IrreversibleError, match="3 assets hold values of backfills; undo those first"):
        call_command("migrate", "assets", "0004_song_json", verbosity=0)
