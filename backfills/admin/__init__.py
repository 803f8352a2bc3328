from backfills.admin.ledger import BackfillChangeAdmin, BackfillRowErrorAdmin
from backfills.admin.runs import BackfillRunAdmin

__all__ = ["BackfillChangeAdmin", "BackfillRowErrorAdmin", "BackfillRunAdmin"]
