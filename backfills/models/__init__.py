from backfills.models.ledger import BackfillBatch, BackfillChange, BackfillColumnLock, BackfillRowError
from backfills.models.runs import BackfillEvent, BackfillGlobalPause, BackfillRun

__all__ = [
    "BackfillBatch",
    "BackfillChange",
    "BackfillColumnLock",
    "BackfillEvent",
    "BackfillGlobalPause",
    "BackfillRowError",
    "BackfillRun",
]
