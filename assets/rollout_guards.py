"""Guards that limit the rollout of a gated field while legacy assets have no value for it."""

from assets.backfill_rules import AI_METADATA_RULE, CREATOR_DESCRIPTION_RULE
from assets.models import Asset
from backfills.readiness import finalise_blocker

MAX_PERCENT_BEFORE_BACKFILL = 50


def creator_description_backfill_pending() -> str | None:
    return finalise_blocker(CREATOR_DESCRIPTION_RULE, Asset.objects.imported())


def ai_metadata_backfill_pending() -> str | None:
    return finalise_blocker(AI_METADATA_RULE, Asset.objects.imported())
