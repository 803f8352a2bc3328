"""Questions about assets."""

from datetime import datetime
from typing import Self

from django.db import models


class AssetQuerySet(models.QuerySet["Asset"]):
    def live(self) -> Self:
        """What every reader sees; deleted assets keep their row and their number."""
        return self.filter(deleted_at=None)

    def deleted(self) -> Self:
        return self.exclude(deleted_at=None)

    def with_gated_values(self) -> Self:
        """With something in a column that answers show behind a flag only."""
        return self.exclude(creator_description=None, album_art=None, ai_metadata__isnull=True)

    def with_generated_ai_metadata(self) -> Self:
        """What a model said. What a backfill wrote is not a measurement, and statistics leave it out."""
        return self.filter(ai_metadata__isnull=False, ai_metadata_origin="")

    def imported(self) -> Self:
        """Those that were here before the new fields were."""
        return self.filter(origin="import")

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-public_id")


class SequenceReservationQuerySet(models.QuerySet["SequenceReservation"]):
    def expired(self, now: datetime) -> Self:
        """Time is up and nobody has looked after them yet."""
        return self.filter(released_at=None, expires_at__lte=now)
