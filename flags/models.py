"""Flags of gated fields, and the record of their changes."""

import logging
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from waffle.models import AbstractUserFlag

from common.errors import Conflict
from flags.evaluation import flags_for_request
from flags.querysets import FieldFlagManager, FlagChangeQuerySet
from flags.registry import FLAG_NAMES

log = logging.getLogger(__name__)


class FieldFlag(AbstractUserFlag):
    """A waffle flag with stable buckets: a caller is always in the same share.

    Waffle stores its random choice in a cookie, so clients with tokens would get another choice on each request. Here
    the bucket is a hash of flag and caller. Requests cannot change flags: no `testing`, cookies, headers or queries.
    """

    everyone = models.BooleanField(
        null=True, blank=True, help_text="On or off for everyone; otherwise the settings below apply."
    )
    percent = models.DecimalField(
        max_digits=3,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Percentage of users and service keys, 0.0 to 99.9. A higher value only adds callers. "
        "For 100 % choose On for everyone.",
    )
    staff = models.BooleanField(default=False, help_text="On for staff.")
    authenticated = models.BooleanField(default=False, help_text="On for all signed-in users; not for service keys.")
    # Superusers have no exception: otherwise they could not test that a flag is off.
    superusers = None
    testing = None
    languages = None
    rollout = None

    objects = FieldFlagManager()

    class Meta(AbstractUserFlag.Meta):
        verbose_name = "flag"
        verbose_name_plural = "flags"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(percent=None) | Q(percent__gte=0, percent__lt=100), name="flags_percent_below_100"
            ),
        ]

    @classmethod
    def get(cls, name: str) -> "FieldFlag":
        """Return an instance for waffle without a query: `is_active` uses the flags of the request."""
        return cls(name=name)

    def is_active(self, request: Any, read_only: bool = False) -> bool:
        if self.name not in FLAG_NAMES:
            log.warning("unknown flag counts as off", extra={"flag": self.name})
        return flags_for_request(request).is_on(self.name)

    def flush(self) -> None:
        """Do nothing: waffle clears its cache here, but `evaluation` detects changes by the version of the rows."""

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        if self.name in FLAG_NAMES:
            raise Conflict(f"Flag {self.name} is in use by the code and cannot be deleted; turn it off instead")
        return super().delete(*args, **kwargs)


class FlagChange(models.Model):
    """One change of a flag. A trigger makes the table append-only (migration 0002)."""

    flag_name = models.CharField("flag", max_length=100, db_index=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField()

    objects = FlagChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-changed_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.flag_name} at {self.changed_at:%Y-%m-%d %H:%M}"
