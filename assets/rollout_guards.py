"""What keeps a gated field from most callers: legacy assets that have not got theirs yet."""

from assets.backfill_rules import AI_METADATA_RULE, CREATOR_DESCRIPTION_RULE
from assets.models import Asset
from backfills.readiness import finalise_blocker

MAX_PERCENT_BEFORE_BACKFILL = 50


def creator_description_backfill_pending() -> str | None:
    return finalise_blocker(CREATOR_DESCRIPTION_RULE, Asset.objects.imported())


def ai_metadata_backfill_pending() -> str | None:
    return finalise_blocker(AI_METADATA_RULE, Asset.objects.imported())
