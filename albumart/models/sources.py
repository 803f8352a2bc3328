"""Where pictures may come from, and whether a source is well enough to be asked."""

from datetime import datetime, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from albumart.querysets import ArtworkSourceQuerySet

_HOST_PATTERN = r"^\.?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
_BREAKER_COLUMNS = (
    "breaker", "failures", "successes", "consecutive_openings", "opened_at", "probe_at", "rate_limited_until", "last_error",
)  # fmt: skip


class ArtworkSource(models.Model):
    """One entry of the allow-list: hosts, the pace they enabled at, and the breaker that gives them rest.

    The breaker closes the way to a source that fails again and again. `closed`: asked as usual. `open`: not asked
    before `probe_at`. `half_open`: asked one at a time; enough answers in a row close it, one failure opens it anew.
    """

    class Label(models.TextChoices):
        """What `albumArtDetails.source` says of pictures from here."""

        ITUNES = "iTunes", "iTunes"
        MUSICBRAINZ = "MusicBrainz", "MusicBrainz"
        AI = "AI Generated", "AI Generated"
        WEB = "Web", "Web"

    class Breaker(models.TextChoices):
        CLOSED = "closed", "Closed (asked as usual)"
        OPEN = "open", "Open (resting)"
        HALF_OPEN = "half_open", "Half open (being tried)"

    pattern = models.CharField(
        "host",
        max_length=253,
        unique=True,
        validators=[RegexValidator(_HOST_PATTERN, "A host in lower case, or .example.org for all hosts below it")],
        help_text="A host, or with a dot before it all hosts below that name: .mzstatic.com",
    )
    label = models.CharField(max_length=20, choices=Label, default=Label.WEB)
    is_enabled = models.BooleanField("enabled", default=True)
    requests_per_minute = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(1), MaxValueValidator(6000)], help_text="By all workers together."
    )
    max_redirects = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(3)],
        help_text="Hops followed from here, each to a host on this list.",
    )
    treat_403_as_rate_limit = models.BooleanField(
        "Treat 403 as rate limiting", default=False, help_text="Some sources answer 403 to whoever asks too often."
    )

    breaker = models.CharField(max_length=10, choices=Breaker, default=Breaker.CLOSED, editable=False)
    failures = models.PositiveIntegerField("failures in a row", default=0, editable=False)
    successes = models.PositiveIntegerField("answers while half open", default=0, editable=False)
    consecutive_openings = models.PositiveIntegerField("openings in a row", default=0, editable=False)
    opened_at = models.DateTimeField(null=True, editable=False)
    probe_at = models.DateTimeField("tried again at", null=True, editable=False)
    rate_limited_until = models.DateTimeField("rate limited until", null=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)

    history = HistoricalRecords(
        excluded_fields=_BREAKER_COLUMNS, history_change_reason_field=models.CharField(max_length=200, null=True)
    )
    objects = ArtworkSourceQuerySet.as_manager()

    class Meta:
        verbose_name = "source"
        ordering = ["pattern"]
        constraints = [
            models.CheckConstraint(condition=Q(pattern__regex=_HOST_PATTERN), name="albumart_source_pattern_form"),
            models.CheckConstraint(condition=Q(requests_per_minute__gte=1), name="albumart_source_pace"),
            models.CheckConstraint(
                condition=Q(breaker__in=["closed", "open", "half_open"]), name="albumart_source_breaker_known"
            ),
        ]
        permissions = [("reset_circuit", "Can reset the breaker of a source")]

    def __str__(self) -> str:
        return self.pattern

    def blocked_until(self, now: datetime) -> datetime | None:
        """The moment before which the source is not asked; None if it enabled now."""
        timestamps = [self.rate_limited_until, self.probe_at if self.breaker != self.Breaker.CLOSED else None]
        later = [timestamp for timestamp in timestamps if timestamp and timestamp > now]
        return max(later) if later else None

    def half_open(self, now: datetime, *, probe_seconds: float) -> None:
        """An open breaker whose rest is over lets one request through; the next only after its answer, or in time."""
        self.breaker = self.Breaker.HALF_OPEN
        self.probe_at = now + timedelta(seconds=probe_seconds)
        self.save(update_fields=["breaker", "probe_at"])

    def note_answer(self, *, started_at: datetime, now: datetime, answers_to_close: int) -> None:
        """The source answered (a 404 is an answer). Whoever asked before it opened says nothing about recovery."""
        if self.breaker != self.Breaker.CLOSED:
            if self.opened_at and started_at <= self.opened_at:
                return
            self.breaker, self.probe_at = self.Breaker.HALF_OPEN, now
            self.successes += 1
            if self.successes >= answers_to_close:
                self.reset()
                return
        self.failures = 0
        self.save(update_fields=["failures", "breaker", "probe_at", "successes"])

    def note_failure(self, error: str, *, now: datetime, failures_to_open: int, rest_seconds: float) -> None:
        """Open after so many failures in a row, or at once while half open; each opening in a row rests twice as long,
        an hour at most."""
        self.failures += 1
        self.last_error = error[:300]
        fails_again = self.breaker == self.Breaker.HALF_OPEN
        if fails_again or (self.breaker == self.Breaker.CLOSED and self.failures >= failures_to_open):
            rest = min(rest_seconds * 2**self.consecutive_openings, 3600)
            self.breaker, self.opened_at, self.probe_at = self.Breaker.OPEN, now, now + timedelta(seconds=rest)
            self.consecutive_openings, self.successes = min(self.consecutive_openings + 1, 20), 0
        self.save(
            update_fields=[
                "failures",
                "last_error",
                "breaker",
                "opened_at",
                "probe_at",
                "consecutive_openings",
                "successes",
            ]
        )

    def pause(self, until: datetime) -> None:
        self.rate_limited_until = max(until, self.rate_limited_until or until)
        self.save(update_fields=["rate_limited_until"])

    def reset(self) -> None:
        """As if nothing had ever failed."""
        self.breaker, self.failures, self.successes, self.consecutive_openings = self.Breaker.CLOSED, 0, 0, 0
        self.opened_at = self.probe_at = self.rate_limited_until = None
        self.save(update_fields=[name for name in _BREAKER_COLUMNS if name != "last_error"])


class CircuitChange(models.Model):
    """A breaker opened, was tried, closed, or was reset by somebody."""

    source = models.ForeignKey(ArtworkSource, on_delete=models.CASCADE, related_name="breaker_changes")
    before = models.CharField(max_length=10)
    after = models.CharField(max_length=10)
    reason = models.CharField(max_length=300, blank=True)
    changed_by = models.EmailField(max_length=254, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-changed_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.before} to {self.after}"
