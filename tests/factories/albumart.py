"""Requests for pictures as rows, and what belongs to them."""

from datetime import UTC, datetime
from typing import Any

import factory
from factory.django import DjangoModelFactory

from albumart.models import Artwork, ArtworkCohort, ArtworkFile, ArtworkSource, ArtworkStep
from assets.models import Asset
from tests.factories.assets import make_asset
from tests.factories.backfills import BackfillRunFactory

DAY_ONE = datetime(2025, 6, 1, 12, tzinfo=UTC)


def make_song(**fields: Any) -> Asset:
    return make_asset("G.POP.BAS", **fields)


class ArtworkSourceFactory(DjangoModelFactory):
    class Meta:
        model = ArtworkSource

    pattern = factory.Sequence(lambda number: f"art{number}.example")


class ArtworkCohortFactory(DjangoModelFactory):
    """The cohort of a running run of the rule `albumart.legacy_songs`; `run__state` sets another state."""

    class Meta:
        model = ArtworkCohort

    name = factory.Sequence(lambda number: f"Run {number}")
    run = factory.SubFactory(
        BackfillRunFactory, rule_name="albumart.legacy_songs", fields=["artwork"], state="running",
        parameters=factory.LazyAttribute(lambda run: {"name": run.factory_parent.name}),
    )  # fmt: skip


class ArtworkFactory(DjangoModelFactory):
    """Waiting, the asset's current one."""

    class Meta:
        model = Artwork
        skip_postgeneration_save = True

    asset = factory.LazyFunction(make_song)
    is_current = True
    source_url = factory.Sequence(lambda number: f"https://art.example/{number}.jpg")
    source_host = "art.example"
    trigger = Artwork.Trigger.CLIENT
    requested_by = "mira@studio.example"
    requested_at = DAY_ONE
    next_attempt_at = DAY_ONE

    @factory.post_generation
    def with_parts(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        """`with_parts=True`: a file and two steps, as a stored one has them."""
        if not extracted:
            return
        facts = {"content_type": "image/jpeg", "size_bytes": 10, "width_px": 500, "height_px": 500}
        ArtworkFile.objects.create(artwork=self, name="500", key=f"album-art/ab/{self.pk}.jpg", **facts)
        for name in ("fetch", "store"):
            ArtworkStep.objects.create(artwork=self, attempt=1, name=name, outcome="done", duration_ms=5)


def make_stored(**fields: Any) -> Artwork:
    facts = {
        "status": "stored", "finished_at": DAY_ONE, "content_type": "image/jpeg", "size_bytes": 10, "width_px": 500,
        "height_px": 500, "quality": "Medium", "quality_rule": 1, "source_name": "Web",
    }  # fmt: skip
    return ArtworkFactory(with_parts=True, **facts | fields)
