from backfills.admin.ledger import BackfillChangeAdmin, BackfillParkedAdmin
from backfills.admin.runs import BackfillRunAdmin

__all__ = ["BackfillChangeAdmin", "BackfillParkedAdmin", "BackfillRunAdmin"]
