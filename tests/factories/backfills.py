"""Factories of the backfills app."""

import factory
from django.utils import timezone

from backfills.models import BackfillBatch, BackfillChange, BackfillRowError, BackfillRun


class BackfillRunFactory(factory.django.DjangoModelFactory):
    """A finished run of the first legacy rule."""

    class Meta:
        model = BackfillRun

    rule_name = "assets.creator_description"
    rule_version = 1
    parameters = factory.LazyFunction(lambda: {"from": "name"})
    table_name = "assets_asset"
    fields = factory.LazyFunction(lambda: ["creator_description"])
    state = "finished"
    state_changed_at = factory.LazyFunction(timezone.now)
    reason = "Fill them"
    requested_by = "olga@studio.example"
    created_at = factory.LazyFunction(timezone.now)


class BackfillBatchFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = BackfillBatch

    run = factory.SubFactory(BackfillRunFactory)
    number = factory.Sequence(lambda n: n + 1)
    first_pk, last_pk, size, changed, duration_ms = 1, 100, 100, 100, 12.5
    finished_at = factory.LazyFunction(timezone.now)


class BackfillChangeFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = BackfillChange

    run = factory.SubFactory(BackfillRunFactory)
    row_pk = factory.Sequence(lambda n: n + 1)
    field = "creator_description"
    after = "L.CAS.ATL.001"


class BackfillRowErrorFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = BackfillRowError

    run = factory.SubFactory(BackfillRunFactory)
    row_pk = factory.Sequence(lambda n: n + 1)
    label = factory.Sequence(lambda n: f"L.CAS.ATL.{n:03d}")
    reason = "value too long"
    failed_at = factory.LazyFunction(timezone.now)
