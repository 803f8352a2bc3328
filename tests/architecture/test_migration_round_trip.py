"""Rows survive the migrations back to the last release and forwards again."""

import json
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.demo import ensure_demo_users
from assets.backfill_rules import AI_METADATA_RULE, CREATOR_DESCRIPTION_RULE
from assets.demo import load_demo
from assets.models import Asset
from backfills.engine.run_setup import create_run_context
from backfills.run_control import pause
from jobs.batches import run_next_batch
from taxonomy.sync import import_document, install_starter_taxonomy
from tests.factories.albumart import ArtworkCohortFactory, ArtworkFactory, ArtworkSourceFactory, make_stored
from tests.factories.backfills import BackfillRowErrorFactory, BackfillRunFactory
from tests.factories.bugreports import BugReportFactory, NotificationFactory, PurgeRunFactory
from tests.support.backfills import BY, run_to_the_end, started
from tests.support.shared_data import shared_file

# The last migration of each app in the release before the names changed.
_RELEASE = {
    "accounts": "0002",
    "albumart": "0003",
    "assets": "0006",
    "backfills": "0001",
    "bugreports": "0002",
    "flags": "0004",
    "taxonomy": "0001",
}
_APPS_SINCE_THE_RELEASE = ("notifications",)
# Tables in which a migration renames stored values; all other rows must be equal in the release, too.
_TABLES_WITH_RENAMED_VALUES = {
    "albumart_artwork",  # the end of a claim
    "albumart_artworkcohort",  # its run
    "auth_group_permissions",  # control of artwork runs is control of backfill runs
    "backfills_backfillevent",
    "backfills_backfillrun",
    "bugreports_notification",
    "bugreports_purgerun",
    "django_content_type",
}
# Tables since the release that are filled from others, by triggers or migrations; going back drops them.
_DERIVED_TABLES = (
    "albumart_artworkcohortsong", "assets_tagged", "assets_counter", "assets_write", "assets_search",
    "assets_search_version",
)  # fmt: skip
_TABLES = ("assets_tagged", "assets_counter", "assets_write", "assets_search", "assets_search_version")
_TABLES = """
SELECT oid, relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname
"""
_HASH = """
SELECT md5(string_agg(hash, '' ORDER BY hash)), count(*) FROM (SELECT md5(row::text) AS hash FROM {table} row) rows
"""


def _hash_tables() -> dict[int, tuple[str, str, int]]:
    """Return name, hash and row count of each table by its OID.

    The text of a row lists its columns by position, so neither a renamed table nor a renamed column changes a hash.
    """
    hashes = {}
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        for oid, name in cursor.fetchall():
            if name in ("django_migrations", "auth_permission", *_DERIVED_TABLES):  # `migrate` itself writes them
                continue
            cursor.execute(_HASH.format(table=name))
            hashes[oid] = (name, *cursor.fetchone())
    return hashes


def _migrate_to_the_release() -> None:
    for label in _APPS_SINCE_THE_RELEASE:
        call_command("migrate", label, "zero", verbosity=0)
    for label, migration in _RELEASE.items():
        call_command("migrate", label, migration, verbosity=0)


def _make_runs() -> None:
    """One run of each kind: finished, undone, paused half-way, planned; with ledger, batches, events and row errors."""
    run_to_the_end(started(CREATOR_DESCRIPTION_RULE))
    half = started(AI_METADATA_RULE)
    run_next_batch(half, now=timezone.now())
    pause(half.run_pk, by=BY, now=timezone.now())
    create_run_context(AI_METADATA_RULE, apps, parameters={}, by=BY, reason="later", now=timezone.now())
    failed = BackfillRunFactory(state="failed", plan={"errors": [], "outcomes": {"error": 2, "skip: unchanged": 1}})
    BackfillRowErrorFactory.create_batch(2, run=failed)


def _make_artworks() -> None:
    ArtworkSourceFactory.create_batch(2)
    now = timezone.now()
    cohort = ArtworkCohortFactory()
    ArtworkFactory(status="waiting", cohort=cohort, wait_reason="breaker open")
    ArtworkFactory(
        status="running",
        cohort=cohort,
        claim=uuid4(),
        claimed_at=now,
        claim_expires_at=now + timedelta(seconds=120),
    )
    for status in ("refused", "absent", "failed"):
        ArtworkFactory(status=status, error_code="timeout", error_message="Took too long", finished_at=timezone.now())
    make_stored(dominant_color="#aa0000")


def _make_bug_reports() -> None:
    report = BugReportFactory()
    BugReportFactory(status="resolved")
    NotificationFactory(body={"event": "bug_report.submitted", "report": report.report_id})
    NotificationFactory(kind="digest", key="digest:1", body={"user": BY, "open": 3})
    for status in ("done", "interrupted", "aborted"):
        PurgeRunFactory(status=status)


def _assert_rows_survive() -> None:
    newest = _hash_tables()
    _migrate_to_the_release()
    release = _hash_tables()
    call_command("migrate", verbosity=0)
    again = _hash_tables()
    assert {name: facts for name, *facts in again.values()} == {name: facts for name, *facts in newest.values()}
    changed = {newest[oid][0] for oid in newest if release.get(oid, ("", "", 0))[1:] != newest[oid][1:]}
    assert changed <= _TABLES_WITH_RENAMED_VALUES
    assert {oid: rows for oid, (_, _, rows) in release.items()} == {oid: rows for oid, (_, _, rows) in newest.items()}


@pytest.fixture
def migrated_database(own_database: None) -> None:
    call_command("migrate", verbosity=0)


@pytest.mark.slow
def test_demo_rows_survive_the_way_to_the_release_and_back(migrated_database: None) -> None:
    install_starter_taxonomy(now=timezone.now())
    ensure_demo_users()
    load_demo(asset_count=40, now=timezone.now())
    _make_runs()
    _make_artworks()
    _make_bug_reports()
    _assert_rows_survive()


@pytest.mark.slow
def test_the_legacy_registry_survives_the_way_to_the_release_and_back(migrated_database: None) -> None:
    taxonomy, registry = shared_file("taxonomy.json"), shared_file("legacy_registry.jsonl")
    import_document(json.loads(taxonomy.read_text()), by=None, now=timezone.now())
    call_command("import_registry", str(registry), stdout=StringIO())
    assert Asset.objects.count() > 1000
    _make_runs()
    _assert_rows_survive()
