from assets.admin.assets import AssetAdmin
from assets.admin.counters import SequenceCounterAdmin, SequenceReservationAdmin

__all__ = ["AssetAdmin", "SequenceCounterAdmin", "SequenceReservationAdmin"]
