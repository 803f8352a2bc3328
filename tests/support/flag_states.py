"""Flags in a known state while a test runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from flags.models import FieldFlag
from flags.registry import FLAG_NAMES


@contextmanager
def set_flags(*names_on: str) -> Iterator[None]:
    """On for everyone: exactly `names_on`; every other flag is off. Afterwards all are off, as they are seeded."""
    unknown = set(names_on) - FLAG_NAMES
    assert not unknown, f"no such flags: {unknown}"
    _write(frozenset(names_on))
    try:
        yield
    finally:
        _write(frozenset())


def _write(names_on: frozenset[str]) -> None:
    # A test with transactions leaves an empty table behind, so rows may be missing.
    FieldFlag.objects.bulk_create([FieldFlag(name=name, everyone=False) for name in FLAG_NAMES], ignore_conflicts=True)
    FieldFlag.objects.update(everyone=False, percent=None, staff=False, authenticated=False)
    FieldFlag.objects.filter(name__in=names_on).update(everyone=True)
