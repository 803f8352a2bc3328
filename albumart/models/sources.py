"""Allowed sources of artwork, each with a circuit breaker."""

from datetime import datetime, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from albumart.querysets import ArtworkSourceQuerySet

_HOST_PATTERN = r"^\.?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
_CIRCUIT_COLUMNS = (
    "circuit_state", "consecutive_failures", "successes", "consecutive_openings", "opened_at", "probe_at",
    "rate_limited_until", "last_error",
)  # fmt: skip
_MAX_COOLDOWN_SECONDS = 3600
_MAX_COUNTED_OPENINGS = 20  # keeps the power of two small


class ArtworkSource(models.Model):
    """One entry of the allow-list: hosts with their rate limit and a circuit breaker.

    The circuit breaker stops requests to a source that keeps failing. `closed`: requests are sent. `open`: no request
    before `probe_at`. `half_open`: one request at a time; enough consecutive successes close the circuit, one failure
    opens it again.
    """

    class Label(models.TextChoices):
        """Values of `albumArtDetails.source`."""

        ITUNES = "iTunes", "iTunes"
        MUSICBRAINZ = "MusicBrainz", "MusicBrainz"
        AI = "AI Generated", "AI Generated"
        WEB = "Web", "Web"

    class CircuitState(models.TextChoices):
        CLOSED = "closed", "Closed"
        OPEN = "open", "Open"
        HALF_OPEN = "half_open", "Half open"

    pattern = models.CharField(
        "host",
        max_length=253,
        unique=True,
        validators=[
            RegexValidator(_HOST_PATTERN, "Enter a host in lower case, or .example.org for all hosts below it")
        ],
        help_text="A host, or a domain with a leading dot for all hosts below it: .mzstatic.com",
    )
    label = models.CharField(max_length=20, choices=Label, default=Label.WEB)
    is_enabled = models.BooleanField("enabled", default=True)
    requests_per_minute = models.PositiveIntegerField(
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(6000)],
        help_text="Limit of all workers together.",
    )
    max_redirects = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(3)],
        help_text="Redirects to follow, each to a host of this list.",
    )
    treat_403_as_rate_limit = models.BooleanField(
        "Treat 403 as rate limiting", default=False, help_text="For sources that answer 403 to too many requests."
    )

    circuit_state = models.CharField(
        "circuit breaker", max_length=10, choices=CircuitState, default=CircuitState.CLOSED, editable=False
    )
    consecutive_failures = models.PositiveIntegerField(default=0, editable=False)
    successes = models.PositiveIntegerField("successes while half open", default=0, editable=False)
    consecutive_openings = models.PositiveIntegerField(default=0, editable=False)
    opened_at = models.DateTimeField(null=True, editable=False)
    probe_at = models.DateTimeField("next request at", null=True, editable=False)
    rate_limited_until = models.DateTimeField("rate limited until", null=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)

    history = HistoricalRecords(
        excluded_fields=_CIRCUIT_COLUMNS, history_change_reason_field=models.CharField(max_length=200, null=True)
    )
    objects = ArtworkSourceQuerySet.as_manager()

    class Meta:
        verbose_name = "source"
        ordering = ["pattern"]
        constraints = [
            models.CheckConstraint(condition=Q(pattern__regex=_HOST_PATTERN), name="albumart_source_pattern_form"),
            models.CheckConstraint(condition=Q(requests_per_minute__gte=1), name="albumart_source_pace"),
            models.CheckConstraint(
                condition=Q(circuit_state__in=["closed", "open", "half_open"]), name="albumart_source_breaker_known"
            ),
        ]
        permissions = [("reset_circuit", "Can reset the circuit breaker of a source")]

    def __str__(self) -> str:
        return self.pattern

    def blocked_until(self, now: datetime) -> datetime | None:
        """Return when the next request may be sent; None if it may be sent now."""
        is_closed = self.circuit_state == self.CircuitState.CLOSED
        times = [self.rate_limited_until, None if is_closed else self.probe_at]
        later = [time for time in times if time and time > now]
        return max(later) if later else None

    def half_open(self, now: datetime, *, probe_seconds: float) -> None:
        """Allow one request. The next one waits for its response, or for `probe_seconds`."""
        self.circuit_state = self.CircuitState.HALF_OPEN
        self.probe_at = now + timedelta(seconds=probe_seconds)
        self.save(update_fields=["circuit_state", "probe_at"])

    def record_success(self, *, started_at: datetime, now: datetime, success_threshold: int) -> None:
        """Count a response; a 404 is one. A request sent before the circuit opened does not show that it recovered."""
        if self.circuit_state != self.CircuitState.CLOSED:
            if self.opened_at and started_at <= self.opened_at:
                return
            self.circuit_state, self.probe_at = self.CircuitState.HALF_OPEN, now
            self.successes += 1
            if self.successes >= success_threshold:
                self.reset()
                return
        self.consecutive_failures = 0
        self.save(update_fields=["consecutive_failures", "circuit_state", "probe_at", "successes"])

    def record_failure(self, error: str, *, now: datetime, failure_threshold: int, cooldown_seconds: float) -> None:
        """Open after `failure_threshold` consecutive failures, or at once while half open.

        Each consecutive opening doubles the cooldown, up to one hour.
        """
        self.consecutive_failures += 1
        self.last_error = error[:300]
        is_closed = self.circuit_state == self.CircuitState.CLOSED
        if self.circuit_state == self.CircuitState.HALF_OPEN or (
            is_closed and self.consecutive_failures >= failure_threshold
        ):
            seconds = min(cooldown_seconds * 2**self.consecutive_openings, _MAX_COOLDOWN_SECONDS)
            self.circuit_state, self.opened_at = self.CircuitState.OPEN, now
            self.probe_at = now + timedelta(seconds=seconds)
            self.consecutive_openings = min(self.consecutive_openings + 1, _MAX_COUNTED_OPENINGS)
            self.successes = 0
        self.save(
            update_fields=[
                "consecutive_failures", "last_error", "circuit_state", "opened_at", "probe_at", "consecutive_openings",
                "successes",
            ]
        )  # fmt: skip

    def pause(self, until: datetime) -> None:
        self.rate_limited_until = max(until, self.rate_limited_until or until)
        self.save(update_fields=["rate_limited_until"])

    def reset(self) -> None:
        """Close the circuit and clear all counters; `last_error` stays."""
        self.circuit_state = self.CircuitState.CLOSED
        self.consecutive_failures = self.successes = self.consecutive_openings = 0
        self.opened_at = self.probe_at = self.rate_limited_until = None
        self.save(update_fields=[name for name in _CIRCUIT_COLUMNS if name != "last_error"])


class CircuitChange(models.Model):
    """One change of a circuit breaker's state; `changed_by` is set if a user reset it."""

    source = models.ForeignKey(ArtworkSource, on_delete=models.CASCADE, related_name="circuit_changes")
    before = models.CharField(max_length=10)
    after = models.CharField(max_length=10)
    reason = models.CharField(max_length=300, blank=True)
    changed_by = models.EmailField(max_length=254, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-changed_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.before} to {self.after}"
