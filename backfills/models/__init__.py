from backfills.models.ledger import BackfillBatch, BackfillChange, BackfillClaim, BackfillParked
from backfills.models.runs import BackfillEvent, BackfillHold, BackfillRun

__all__ = [
    "BackfillBatch",
    "BackfillChange",
    "BackfillClaim",
    "BackfillEvent",
    "BackfillHold",
    "BackfillParked",
    "BackfillRun",
]
