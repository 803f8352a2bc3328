"""Which gated fields are on for whoever asks. Evaluated once a request; the doors pass the answer inward."""

import logging
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from flags.models import FieldFlag
from flags.registry import FLAG_NAMES

log = logging.getLogger(__name__)
_REMEMBERED = "_field_flags"


@dataclass(frozen=True)
class FlagSet:
    names: frozenset[str]

    def is_on(self, name: str) -> bool:
        return name in self.names


ALL_OFF = FlagSet(frozenset())
ALL_ON = FlagSet(FLAG_NAMES)


def flags_for(request: Any) -> FlagSet:
    """The flags that are on for the caller of a Django or REST framework request; the same all through it."""
    plain_request = getattr(request, "_request", request)
    remembered = getattr(plain_request, _REMEMBERED, None)
    if remembered is None:
        remembered = FlagSet(
            frozenset(flag.name for flag in _all_flags() if flag.name in FLAG_NAMES and flag.is_on_for(request.user))
        )
        setattr(plain_request, _REMEMBERED, remembered)
    return remembered


def _all_flags() -> list[FieldFlag]:
    try:
        return FieldFlag.get_all()
    except (RedisError, OSError) as error:  # the cache is a convenience; the rows are the truth
        log.warning("cache does not answer; flags read from the database", extra={"error": str(error)})
        return FieldFlag.get_all_from_db()
