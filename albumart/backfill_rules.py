"""The backfill rule that requests artwork for songs without artwork."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Value

from albumart.metrics import pending_reason
from albumart.models import Artwork, ArtworkCohort, ArtworkCohortSong
from albumart.request_schedule import RequestSchedule
from albumart.source_urls import candidate_urls
from albumart.sources import current_sources, url_host
from assets.models import Asset
from backfills.readiness import finalise_blocker
from backfills.rules import ActionRule, Parameters, Row, Skip
from common.errors import InvalidInput
from outbound import host_matches

SONGS = "G"
NO_URL = "no artwork URL is known"
HOST_NOT_ALLOWED = "the host of the artwork URL is not a source"
_PARAMETERS = ("layer", "last_pk", "name", "sources")


class LegacyArtworkRule(ActionRule):
    """One request per song whose row has an artwork URL. Workers fetch them at the rate limits of their sources.

    Parameters, all optional: `layer` (default G); `last_pk`, the last asset; `name` of the run; `sources`, patterns of
    hosts separated by spaces. Without `sources`, hosts that are not a source are requested too: the artwork shows the
    error, and a retry succeeds once the source is added.

    An undo shows the previous artwork again; artwork that a user has requested since stays.
    """

    name = "albumart.legacy_songs"
    title = "Artwork of legacy songs"
    model_label = "assets.Asset"
    fields = ("artwork",)
    reads = ("album_art", "ai_metadata", "training_data", "rights")
    group_field = "layer"
    label_field = "name"

    def clean_parameters(self, given: Parameters) -> dict[str, Any]:
        for name in given:
            if name not in _PARAMETERS:
                raise InvalidInput(f"{self.name} has no parameter {name}", field=name)
        if "last_pk" in given and not str(given["last_pk"]).isdecimal():
            raise InvalidInput(f"last_pk must be a whole number, not {given['last_pk']}", field="last_pk")
        return dict(given)

    def filter_queryset(self, rows: Any, parameters: Parameters) -> Any:
        requests = Artwork.objects.filter(asset=OuterRef("pk"))
        if "last_pk" in parameters:
            rows = rows.filter(pk__lte=int(parameters["last_pk"]))
        layer = parameters.get("layer", SONGS)
        return rows.filter(~Exists(requests.current()), ~Exists(requests.open()), layer=layer, deleted_at=None)

    def compute_values(self, row: Row, parameters: Parameters) -> dict[str, Any] | Skip:
        urls = candidate_urls(row["album_art"], [row["ai_metadata"], row["training_data"], row["rights"]])
        if not urls:
            return Skip(NO_URL)
        if "sources" in parameters:
            patterns = parameters["sources"].split()
            urls = [url for url in urls if any(host_matches(url_host(url), pattern) for pattern in patterns)]
        return {"artwork": urls} if urls else Skip(HOST_NOT_ALLOWED)

    def record_start(self, rows: Any, *, run_pk: int) -> None:
        """Record the songs of a named run in one statement; a run without a name records those that it requests."""
        for cohort_pk in ArtworkCohort.objects.filter(run=run_pk).values_list("pk", flat=True):
            sql, parameters = rows.order_by().values_list(Value(cohort_pk), "pk").query.sql_with_params()
            with connection.cursor() as cursor:
                cursor.execute(
                    f"INSERT INTO albumart_artworkcohortsong (cohort_id, asset_pk) {sql} ON CONFLICT DO NOTHING",
                    parameters,
                )

    def perform(self, rows: Sequence[tuple[int, Any]], *, run_pk: int, by: str, now: datetime) -> dict[int, Any]:
        cohort, _ = ArtworkCohort.objects.get_or_create(
            run_id=run_pk, defaults={"name": f"Legacy songs, backfill {run_pk}"}
        )
        songs = [ArtworkCohortSong(cohort=cohort, asset_pk=pk) for pk, _ in rows]
        ArtworkCohortSong.objects.bulk_create(songs, ignore_conflicts=True)
        schedule = RequestSchedule(current_sources(), Artwork.objects.waiting().values_list("source_host", flat=True))
        requests = []
        for pk, urls in rows:
            url, _, delay_seconds = schedule.add(urls)
            requests.append(
                Artwork(
                    asset_id=pk, is_current=True, source_url=url, source_host=url_host(url), cohort=cohort,
                    trigger=Artwork.Trigger.AUTOMATION, requested_by=by, requested_at=now,
                    next_attempt_at=now + timedelta(seconds=delay_seconds),
                )
            )  # fmt: skip
        return {artwork.asset_id: artwork.pk for artwork in Artwork.objects.bulk_create(requests)}

    def pending_reason(self, *, run_pk: int) -> str:
        cohort = ArtworkCohort.objects.filter(run=run_pk).first()
        return pending_reason(cohort) if cohort else ""

    def undo(self, made: Sequence[tuple[int, Any]], *, by: str, now: datetime) -> dict[int, bool]:
        requests = Artwork.objects.filter(pk__in=[artwork_pk for _, artwork_pk in made])
        # A later request of a user has replaced the current one; it stays, and the undo of the row is a conflict.
        undone = set(requests.select_for_update().current().values_list("asset_id", flat=True))
        requests.open().update(
            status=Artwork.Status.REFUSED, finished_at=now, claim=None, claim_expires_at=None, wait_reason="",
            error_code="cancelled", error_message=f"The backfill was undone by {by}"[:500],
        )  # fmt: skip
        requests.update(is_current=False)
        return {pk: pk in undone for pk, _ in made}


LEGACY_SONGS = LegacyArtworkRule()


def artwork_backfill_pending() -> str | None:
    return finalise_blocker(LEGACY_SONGS, Asset.objects.imported())
