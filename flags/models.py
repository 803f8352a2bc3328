"""Which gated field is on for whom, and who changed that."""

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
    """A waffle flag whose percentage is stable: the same caller always falls into the same share.

    Waffle itself draws anew on every request of a caller without cookies, so a token client would see
    the field come and go. Here a caller's place in 0..100 is a hash of the flag's name and the caller's id.
    Everything by which a request could switch a flag for itself is gone: `testing`, cookies, headers, queries.
    """

    everyone = models.BooleanField(
        null=True, blank=True, help_text="On or off decides for everyone; otherwise the settings below do."
    )
    percent = models.DecimalField(
        max_digits=3,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Share of people and service keys, 0.0 to 99.9; the same ones stay in when it grows. "
        "For 100 % choose On for everyone.",
    )
    staff = models.BooleanField(default=False, help_text="On for whoever may open this admin.")
    authenticated = models.BooleanField(
        default=False, help_text="On for every person who is logged in; not for service keys."
    )
    # A superuser is a caller like any other, or trying out "off" would prove nothing.
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
        """Waffle's door. Nothing is read here: `is_active` asks what is remembered for the request."""
        return cls(name=name)

    def is_active(self, request: Any, read_only: bool = False) -> bool:
        if self.name not in FLAG_NAMES:
            log.warning("unknown flag counts as off", extra={"flag": self.name})
        return flags_for_request(request).is_on(self.name)

    def flush(self) -> None:
        """Waffle would clear its cache. There is none: every process sees by the rows themselves that they changed."""

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        if self.name in FLAG_NAMES:
            raise Conflict(f"Flag {self.name} is in use by the code and cannot be deleted; switch it off instead")
        return super().delete(*args, **kwargs)


class FlagChange(models.Model):
    """One edit of a flag: the state before and after, by whom, why. Never changed, never deleted (a trigger)."""

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
