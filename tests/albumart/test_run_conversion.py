"""Artwork runs of the last release become backfill runs, and become artwork runs again on the way back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from albumart.claims import claim_artwork
from albumart.dispatch import claim_due_for_dispatch
from albumart.models import Artwork, ArtworkCohort
from backfills.models import BackfillColumnLock
from backfills.run_control import begin_undo, resume
from backfills.tasks import continue_run
from tests.factories.albumart import DAY_ONE, ArtworkFactory, make_stored
from tests.support.backfills import BY
from tests.support.flag_states import set_flags

pytestmark = pytest.mark.slow
_INSERT_RUN = """
INSERT INTO albumart_artworkrun (name, reason, requested_by, requested_at, song_pks, paused_at)
VALUES (%s, 'why', 'mira@studio.example', %s, %s, %s) RETURNING id
"""


@pytest.fixture
def migrated_database(own_database: None) -> Iterator[None]:
    call_command("migrate", verbosity=0)
    with set_flags("album_art_pipeline"):
        yield


def _query(sql: str, params: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or [])
        return cursor.fetchall() if cursor.description else []


def _create_runs(artworks: list[Artwork]) -> None:
    """One paused, one active, one finished, one cancelled run, each with one request and one song without a URL."""
    for artwork, (name, paused_at) in zip(
        artworks, (("paused", DAY_ONE), ("active", None), ("finished", None), ("cancelled", None)), strict=True
    ):
        [(pk,)] = _query(_INSERT_RUN, [name, DAY_ONE, [artwork.asset_id, 10_000], paused_at])
        _query("UPDATE albumart_artwork SET run_id = %s WHERE id = %s", [pk, artwork.pk])


def _old_runs() -> list[tuple[Any, ...]]:
    return _query(
        "SELECT run.id, run.name, run.reason, run.requested_by, run.requested_at, song_pks, paused_at, art.id"
        " FROM albumart_artworkrun run JOIN albumart_artwork art ON art.run_id = run.id ORDER BY run.id"
    )


def _permissions_of_curators() -> set[str]:
    rows = _query(
        "SELECT codename FROM auth_permission p JOIN auth_group_permissions g ON g.permission_id = p.id"
        " JOIN auth_group a ON a.id = g.group_id WHERE a.name = 'Curators' AND (codename LIKE '%%artworkrun'"
        " OR codename LIKE '%%artworkcohort' OR codename LIKE '%%_backfillrun')"
    )
    return {codename for (codename,) in rows}


def test_artwork_runs_become_backfill_runs_and_come_back(migrated_database: None) -> None:
    artworks = [ArtworkFactory(), ArtworkFactory(), make_stored()]
    artworks.append(ArtworkFactory(status="refused", error_code="cancelled", finished_at=DAY_ONE))
    call_command("migrate", "albumart", "0003", verbosity=0)
    _create_runs(artworks)
    old_runs = _old_runs()
    assert _permissions_of_curators() == {"view_artworkrun", "steer_artworkrun"}

    call_command("migrate", verbosity=0)
    assert _permissions_of_curators() == {"view_artworkcohort", "control_backfillrun"}
    cohorts = {cohort.name: cohort for cohort in ArtworkCohort.objects.select_related("run")}
    states = {name: cohort.run.state for name, cohort in cohorts.items()}
    assert states == {"paused": "paused", "active": "running", "finished": "finished", "cancelled": "cancelled"}
    for cohort in cohorts.values():
        run = cohort.run
        assert (run.reason, run.requested_by, run.created_at) == ("why", "mira@studio.example", DAY_ONE)
        assert (run.total_rows, run.changed_rows, run.skipped_rows) == (2, 1, 1)

    call_command("migrate", "albumart", "0003", verbosity=0)
    assert _old_runs() == old_runs
    assert _permissions_of_curators() == {"view_artworkrun", "steer_artworkrun"}
    call_command("migrate", verbosity=0)


def test_requests_of_converted_runs_continue(migrated_database: None) -> None:
    paused, active, finished, cancelled = (ArtworkFactory() for _ in range(4))
    Artwork.objects.filter(pk__in=[finished.pk, cancelled.pk]).update(
        status="failed", error_code="timeout", finished_at=DAY_ONE
    )
    call_command("migrate", "albumart", "0003", verbosity=0)
    _create_runs([paused, active, finished, cancelled])
    call_command("migrate", verbosity=0)
    assert BackfillColumnLock.objects.count() == 1
    assert claim_due_for_dispatch(DAY_ONE) == [active.pk]
    assert claim_artwork(paused.pk, DAY_ONE) is None
    run = ArtworkCohort.objects.get(name="paused").run
    resume(run.pk, by=BY, now=DAY_ONE)
    assert claim_artwork(paused.pk, DAY_ONE) is not None
    Artwork.objects.open().update(status="failed", error_code="timeout", finished_at=DAY_ONE)
    continue_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.changed_rows) == ("finished", 1)
    begin_undo(run.pk, by=BY, now=DAY_ONE)
    continue_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.restored_rows) == ("undone", 1)
