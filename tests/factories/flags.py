"""Factory of flag changes."""

import factory
from django.utils import timezone

from flags.models import FlagChange

OFF = {
    "everyone": False,
    "percent": None,
    "staff": False,
    "authenticated": False,
    "users": [],
    "groups": [],
    "note": "",
}


class FlagChangeFactory(factory.django.DjangoModelFactory):
    """A change from off to on for everyone."""

    class Meta:
        model = FlagChange

    flag_name = "album_art"
    before = factory.LazyFunction(lambda: dict(OFF))
    after = factory.LazyFunction(lambda: OFF | {"everyone": True})
    reason = "Try it"
    changed_at = factory.LazyFunction(timezone.now)
