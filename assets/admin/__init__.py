from assets.admin.assets import AssetAdmin
from assets.admin.sequences import SequenceCounterAdmin, SequenceReservationAdmin

__all__ = ["AssetAdmin", "SequenceCounterAdmin", "SequenceReservationAdmin"]
