"""Named filters of assets and reservations."""

from datetime import datetime
from typing import Self

from django.db import models


class AssetQuerySet(models.QuerySet["Asset"]):
    def live(self) -> Self:
        """Assets that readers see. Deleted assets keep their row and their number."""
        return self.filter(deleted_at=None)

    def deleted(self) -> Self:
        return self.exclude(deleted_at=None)

    def with_gated_values(self) -> Self:
        """Assets with a value in a gated field."""
        return self.exclude(creator_description=None, album_art=None, ai_metadata__isnull=True)

    def with_generated_ai_metadata(self) -> Self:
        """Assets whose AI metadata a model generated; metrics exclude values of a backfill."""
        return self.filter(ai_metadata__isnull=False, ai_metadata_origin="")

    def imported(self) -> Self:
        """Assets of the legacy registry, which are older than the gated fields."""
        return self.filter(origin="import")

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-public_id")


class SequenceReservationQuerySet(models.QuerySet["SequenceReservation"]):
    def expired(self, now: datetime) -> Self:
        """Reservations past their end that are not released yet."""
        return self.filter(released_at=None, expires_at__lte=now)
