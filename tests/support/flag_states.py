"""Set all flags to a known state."""

from collections.abc import Iterator
from contextlib import contextmanager

from flags.models import FieldFlag
from flags.registry import FLAG_NAMES


@contextmanager
def set_flags(*names_on: str) -> Iterator[None]:
    """Turn exactly `names_on` on for everyone within the block; afterwards all flags are off, as after `migrate`."""
    unknown = set(names_on) - FLAG_NAMES
    assert not unknown, f"no such flags: {unknown}"
    _write(frozenset(names_on))
    try:
        yield
    finally:
        _write(frozenset())


def _write(names_on: frozenset[str]) -> None:
    # Rows may be missing, because a test with transactions truncates the table.
    FieldFlag.objects.bulk_create([FieldFlag(name=name, everyone=False) for name in FLAG_NAMES], ignore_conflicts=True)
    FieldFlag.objects.update(everyone=False, percent=None, staff=False, authenticated=False)
    FieldFlag.objects.filter(name__in=names_on).update(everyone=True)
