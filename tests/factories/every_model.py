"""Rows of every model that has an admin page."""

from functools import cache
from importlib import import_module
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.utils import timezone
from factory.django import DjangoModelFactory

from assets.models import SequenceReservation
from assets.sequences import reserve_numbers
from taxonomy.models import TaxonomyVersion
from tests.factories.assets import make_assets
from tests.factories.taxonomy import load_starter_taxonomy, make_node
from tests.support.source_tree import ROOT

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


def fill_every_model(count: int, *, assets_per_node: int = 0, **asset_fields: Any) -> None:
    """Create `count` rows of every model that has a factory, with related rows."""
    for factory in _factories():
        factory.create_batch(count)
    # Each new node creates a taxonomy version.
    for number in range(TaxonomyVersion.objects.count(), TaxonomyVersion.objects.count() + count):
        Group.objects.create(name=f"Group {number}")
        make_node("L", "CAS", f"{'QRSTUVWXYZ'[number // 100]}{number % 100:02d}")
    nodes = list(load_starter_taxonomy().nodes())[:count]
    for node in nodes:
        make_assets(assets_per_node or count, f"{node.layer}.{node.category_code}.{node.code}", **asset_fields)
    purpose = SequenceReservation.Purpose.REGISTRATION
    reserve_numbers([node.pk for node in nodes], purpose=purpose, by="somebody@example.com", now=timezone.now())


@cache
def _factories() -> tuple[type[DjangoModelFactory], ...]:
    """Return the factories of all registered models."""
    modules = [import_module(f"tests.factories.{path.stem}") for path in (ROOT / "tests" / "factories").glob("*.py")]
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, DjangoModelFactory) and not value._meta.abstract
    }
    return tuple(sorted((one for one in found if one._meta.model in admin.site._registry), key=lambda f: f.__name__))
