"""The backfill rule that asks for a picture of every song that came before pictures did."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef

from albumart.models import Artwork, ArtworkRun
from albumart.source_urls import candidate_urls
from albumart.sources import current_sources, match_source, url_host
from assets.models import Asset
from backfills.readiness import finalise_blocker
from backfills.rules import ActionRule, Parameters, Row, Skip


class LegacyArtworkRule(ActionRule):
    """One request for each song whose row knows an address; the pipeline fetches them at the sources' paces.

    A host that no source covers is asked for all the same: the refusal stands with the picture, and is mended by
    adding the source. Undone, a song shows again what it showed before; what a person asked for since stays.
    """

    name = "albumart.legacy_songs"
    title = "Pictures of legacy songs"
    model_label = "assets.Asset"
    fields = ("artwork",)
    reads = ("album_art", "ai_metadata", "training_data", "rights")
    group_field = "layer"
    label_field = "name"

    def filter_queryset(self, rows: Any, parameters: Parameters) -> Any:
        asked = Artwork.objects.filter(asset=OuterRef("pk"))
        return rows.filter(~Exists(asked.current()), ~Exists(asked.open()), layer="G", deleted_at=None)

    def compute_values(self, row: Row, parameters: Parameters) -> dict[str, Any] | Skip:
        documents = [row["ai_metadata"], row["training_data"], row["rights"]]
        addresses = candidate_urls(row["album_art"], documents)
        return {"artwork": addresses} if addresses else Skip("no address of a picture is known")

    def perform(self, rows: Sequence[tuple[int, Any]], *, run_pk: int, by: str, now: datetime) -> dict[int, Any]:
        run, _ = ArtworkRun.objects.get_or_create(
            name=f"Legacy songs, backfill {run_pk}", defaults={"requested_by": by, "requested_at": now}
        )
        run.asset_pks = sorted({*run.asset_pks, *(pk for pk, _ in rows)})
        run.save(update_fields=["asset_pks"])
        sources = current_sources()
        ahead: Counter[str] = Counter()
        for host in Artwork.objects.waiting().values_list("source_host", flat=True):
            if source := match_source(host, sources):
                ahead[source.pattern] += 1
        made = []
        for pk, addresses in rows:
            url, source = next(
                ((url, source) for url in addresses if (source := match_source(url_host(url), sources))),
                (addresses[0], None),
            )
            wait_seconds = 0.0
            if source:
                wait_seconds = ahead[source.pattern] * 60 / source.requests_per_minute
                ahead[source.pattern] += 1
            made.append(
                Artwork(
                    asset_id=pk, is_current=True, source_url=url, source_host=url_host(url), run=run,
                    trigger=Artwork.Trigger.AUTOMATION, requested_by=by, requested_at=now,
                    next_attempt_at=now + timedelta(seconds=wait_seconds),
                )
            )  # fmt: skip
        return {artwork.asset_id: artwork.pk for artwork in Artwork.objects.bulk_create(made)}

    def undo(self, made: Sequence[tuple[int, Any]], *, by: str, now: datetime) -> dict[int, bool]:
        ours = Artwork.objects.filter(pk__in=[artwork_pk for _, artwork_pk in made])
        # What somebody asked for since has taken the place of ours, and stays.
        shown = set(ours.select_for_update().current().values_list("asset_id", flat=True))
        ours.open().update(
            status=Artwork.Status.REFUSED, finished_at=now, claim=None, wait_reason="", error_code="cancelled",
            error_message=f"The backfill was undone by {by}"[:500],
        )  # fmt: skip
        ours.update(is_current=False)
        return {pk: pk in shown for pk, _ in made}


LEGACY_SONGS = LegacyArtworkRule()


def artwork_backfill_pending() -> str | None:
    return finalise_blocker(LEGACY_SONGS, Asset.objects.imported())
