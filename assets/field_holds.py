"""What keeps a gated field from most callers: legacy assets that have not got theirs yet."""

from assets.backfill_rules import AI_METADATA_RULE, CREATOR_DESCRIPTION_RULE
from assets.models import Asset
from backfills.readiness import reason_not_final

ABOVE_PERCENT = 50


def creator_description_waits() -> str | None:
    return reason_not_final(CREATOR_DESCRIPTION_RULE, Asset.objects.imported())


def ai_metadata_waits() -> str | None:
    return reason_not_final(AI_METADATA_RULE, Asset.objects.imported())
