"""Which gated field is on for whom, and who changed that."""

from typing import Any

from django.conf import settings
from django.db import models
from django.http import HttpRequest
from waffle.models import AbstractUserFlag

from flags.bucketing import is_in_percentage


class FieldFlag(AbstractUserFlag):
    """A waffle flag whose percentage is stable: the same caller always falls into the same share.

    Waffle itself draws anew on every request of a caller without cookies, so a token client would see
    the field come and go. Here a caller's place in 0..100 is a hash of the flag's name and the caller's id.
    Superusers are callers like any other, and neither query, header nor cookie overrides anything.
    """

    class Meta(AbstractUserFlag.Meta):
        verbose_name = "flag"
        verbose_name_plural = "flags"

    def is_active(self, request: HttpRequest, read_only: bool = False) -> bool:
        """Waffle's own entry, so that `waffle.flag_is_active` gives our answer."""
        return bool(self.pk) and self.is_on_for(getattr(request, "user", None))

    def is_on_for(self, caller: Any) -> bool:
        """The rules in their order: everyone; then staff, people with a token, named people, groups; then the share."""
        if self.everyone is not None:
            return self.everyone
        if caller is None or not caller.is_authenticated:
            return False  # an unknown caller has no stable place in a share
        if (self.authenticated and not getattr(caller, "is_service", False)) or (self.staff and caller.is_staff):
            return True
        if caller.pk is not None and (caller.pk in self._get_user_ids() or self._is_in_groups(caller)):
            return True
        return bool(self.percent) and is_in_percentage(self.name, caller.public_id, self.percent)

    def _is_in_groups(self, caller: Any) -> bool:
        group_ids = self._get_group_ids()
        return bool(group_ids) and self.groups.filter(user=caller.pk).exists()

    def describe(self) -> str:
        """The state in words, for staff."""
        if self.everyone is not None:
            return "on for everyone" if self.everyone else "off"
        parts = [word for word, is_set in (("everyone logged in", self.authenticated), ("staff", self.staff)) if is_set]
        if self.percent:
            parts.append(f"{self.percent} % of callers")
        return " + ".join(parts) or "off, but for the people and groups named"


class FlagChange(models.Model):
    """One edit of a flag: the state before and after, by whom, why. Never changed, never deleted."""

    flag_name = models.CharField(max_length=100, db_index=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-changed_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.flag_name} at {self.changed_at:%Y-%m-%d %H:%M}"
