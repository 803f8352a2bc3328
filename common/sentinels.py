"""Default for arguments whose None has a meaning."""

from enum import Enum
from typing import Final


class Unset(Enum):
    """The type of UNSET, for annotations: `str | Unset | None`."""

    UNSET = 0


UNSET: Final = Unset.UNSET
