"""History of assets, without image bytes."""

from functools import cache
from typing import Any

from django.db import models
from simple_history.manager import HistoryManager
from simple_history.models import HistoricalRecords


class HistoryUrlField(models.TextField):
    """Store a data URI as NULL: it has up to 2.8 MB, and history rows are never deleted."""

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        is_data_uri = isinstance(value, str) and value.startswith("data:")
        return super().get_db_prep_save(None if is_data_uri else value, connection)

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs  # migrations see the column only


class _HistoryManager(HistoryManager):
    """Makes its class once. The library makes a class on each access of `history`, which takes 0.5 ms of each write."""

    @classmethod
    @cache
    def from_queryset(cls, queryset_class: Any, class_name: str | None = None) -> Any:
        return super().from_queryset(queryset_class, class_name)


class AssetHistory(HistoricalRecords):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, history_manager=_HistoryManager, **options)

    def copy_fields(self, model: type[models.Model]) -> dict[str, models.Field]:
        fields: dict[str, models.Field] = super().copy_fields(model)
        fields["album_art"].__class__ = HistoryUrlField
        return fields
