"""Which gated field is on for whom, and who changed that."""

from django.conf import settings
from django.db import models
from waffle.models import AbstractUserFlag


class FieldFlag(AbstractUserFlag):
    """A waffle flag whose percentage is stable: the same caller always falls into the same share.

    Waffle itself draws anew on every request of a caller without cookies, so a token client would see
    the field come and go. Here a caller's place in 0..100 is a hash of the flag's name and the caller's id.
    """

    class Meta(AbstractUserFlag.Meta):
        verbose_name = "flag"
        verbose_name_plural = "flags"


class FlagChange(models.Model):
    """One edit of a flag: the state before and after, by whom, why. Never changed, never deleted."""

    flag_name = models.CharField(max_length=100, db_index=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-changed_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.flag_name} at {self.changed_at:%Y-%m-%d %H:%M}"
