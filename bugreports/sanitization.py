"""Convert a submission to a report that may be stored: limit its size, redact it, truncate its texts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bugreports.redaction.documents import FAILED, Redaction, Scrubber
from bugreports.redaction.keys import SecretKeyRules
from bugreports.size_limits import MORE, Budget, SizeLimiter
from bugreports.submission import Submission

# A truncated secret is not recognizable, so texts are first truncated with this margin, redacted, then truncated to the
# limit. The last _TAIL_CHARS of a text truncated with margin are dropped, because they may contain part of a secret.
_MARGIN_CHARS = 8192
_TAIL_CHARS = 512
_BODIES = ("requestBody", "responseBody")


@dataclass(frozen=True)
class Limits:
    max_logs: int = 200
    max_network_events: int = 50
    max_body_chars: int = 4096
    max_text_chars: int = 10_000
    max_section_nodes: int = 2000
    max_section_chars: int = 1_000_000
    max_entry_nodes: int = 500


@dataclass(frozen=True)
class SanitizedReport:
    """A redacted report within all limits."""

    description: str
    expected_behavior: str | None
    actual_behavior: str | None
    steps_to_reproduce: list[str]
    environment: dict[str, Any]
    client_meta: dict[str, Any]
    app_state: dict[str, Any]
    recent_logs: list[dict[str, Any]]
    network_events: list[dict[str, Any]]
    screenshot_error: str | None
    redaction_count: int
    redactions: list[Redaction]
    dropped: dict[str, dict[str, int]] = field(default_factory=dict)
    failed: tuple[str, ...] = ()


def sanitize(
    sent: Submission, *, rules: SecretKeyRules, masks_emails: bool, limits: Limits, scrubber: Scrubber | None = None
) -> SanitizedReport:
    scrubber = scrubber or Scrubber(rules, masks_emails=masks_emails)
    limiter = SizeLimiter(limits.max_text_chars + _MARGIN_CHARS)
    steps = [step.strip() for step in sent.steps_to_reproduce]
    return SanitizedReport(
        description=_or_empty(scrubber.text(sent.description, "/description")),
        expected_behavior=scrubber.text(sent.expected_behavior, "/expectedBehavior"),
        actual_behavior=scrubber.text(sent.actual_behavior, "/actualBehavior"),
        steps_to_reproduce=[
            _or_empty(scrubber.text(step, f"/stepsToReproduce/{index}")) for index, step in enumerate(steps) if step
        ],
        environment=_object(sent.environment, "environment", scrubber, limiter, limits),
        client_meta=_object(sent.client_meta, "clientMeta", scrubber, limiter, limits),
        app_state=_object(sent.app_state, "appState", scrubber, limiter, limits),
        recent_logs=_list(
            [_without_args(entry) for entry in sent.recent_logs[: limits.max_logs]], len(sent.recent_logs),
            "recentLogs", scrubber, limiter, limits,
        ),
        network_events=_list(
            sent.network_events[: limits.max_network_events], len(sent.network_events), "networkEvents", scrubber,
            limiter, limits,
        ),
        screenshot_error=_cut(scrubber.text(sent.screenshot_error, "/screenshotError"), 500),
        redaction_count=scrubber.count,
        redactions=scrubber.redactions,
        dropped=limiter.dropped,
        failed=tuple(scrubber.failed),
    )  # fmt: skip


def _without_args(entry: dict[str, Any]) -> dict[str, Any]:
    """Drop the raw arguments; `serializedArgs` contains them in a bounded form."""
    return {key: part for key, part in entry.items() if key != "args"}


def _or_empty(text: str | None) -> str:
    return text or ""


def _cut(text: str | None, max_chars: int) -> str | None:
    if text is None:
        return None
    text = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    return text if len(text) <= max_chars else text[: max_chars - 1] + MORE


def _object(
    value: dict[str, Any], section: str, scrubber: Scrubber, limiter: SizeLimiter, limits: Limits
) -> dict[str, Any]:
    capped = limiter.tree(value, section, Budget(limits.max_section_nodes, limits.max_section_chars))
    scrubbed = scrubber.scrub(capped, f"/{section}")
    if not isinstance(scrubbed, dict):
        return {"scrubbing": FAILED}
    return _finish(scrubbed, lambda key: limits.max_text_chars)


def _list(
    entries: list[dict[str, Any]],
    sent_count: int,
    section: str,
    scrubber: Scrubber,
    limiter: SizeLimiter,
    limits: Limits,
) -> list[dict[str, Any]]:
    if sent_count > len(entries):
        limiter.dropped.setdefault(section, {})["entries"] = sent_count - len(entries)
    chars_left, kept = limits.max_section_chars, []
    for index, entry in enumerate(entries):
        budget = Budget(limits.max_entry_nodes, chars_left)
        capped = limiter.tree(entry, section, budget)
        chars_left = budget.chars
        scrubbed = scrubber.scrub(capped, f"/{section}/{index}")
        is_object = isinstance(scrubbed, dict)
        kept.append(_finish(scrubbed, _length_of(limits)) if is_object else {"message": FAILED, "level": "error"})
    return kept


def _length_of(limits: Limits) -> Callable[[str], int]:
    return lambda key: limits.max_body_chars if key in _BODIES else limits.max_text_chars


def _finish(value: Any, length_of: Callable[[str], int], key: str = "") -> Any:
    """Truncate every text to its limit."""
    if isinstance(value, dict):
        return {name: _finish(part, length_of, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_finish(part, length_of, key) for part in value]
    if isinstance(value, str) and len(value) > (max_chars := length_of(key)):
        if value.endswith(MORE):
            value = value[:-_TAIL_CHARS] or value
        return value[:max_chars] + MORE
    return value
