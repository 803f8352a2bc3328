"""Compute the fingerprint of a report from its error message, route and top stack frame, all normalized.

The error comes from the description (error screens put it there), else from the newest error log, else from the newest
failed request. A report without an error has no fingerprint: descriptions by users are too different to group by.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

VERSION = "v1"
_MAX_EXAMINED = 60  # newest entries; older errors are unrelated
_ERROR_LINE = re.compile(r"(?m)^\W*((?:[A-Z][\w.]*)?(?:Error|Exception|Warning|Rejection|Fault)\b:? ?.*)$")
_FRAMES = (
    re.compile(r"^\s*at (?:async )?(?P<name>[^\s(]+(?: \[as \w+\])?) \((?P<file>[^()\s]+?)(?::\d+){0,2}\)\s*$"),  # V8
    re.compile(r"^\s*at (?P<name>)(?P<file>\S+?)(?::\d+){1,2}\s*$"),  # V8, no name
    re.compile(r"^\s*(?P<name>[^\s@]*)@(?P<file>\S+?)(?::\d+){1,2}\s*$"),  # Firefox, Safari
    re.compile(r'^\s*File "(?P<file>[^"]+)", line \d+, in (?P<name>\S+)\s*$'),  # Python
)
_THIRD_PARTY = (
    "node_modules",
    "vendor",
    "polyfill",
    "<anonymous>",
    "native code",
    "chrome-extension",
    "webpack/bootstrap",
)
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_TIMESTAMP = re.compile(
    r"\b\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:z|[+-]\d\d:?\d\d)?)?\b", re.IGNORECASE
)
_HEX = re.compile(r"\b(?:0x[0-9a-f]+|(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{6,})\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_QUERY = re.compile(r"[?#][^\s\"')]*")
_ID_SEGMENT = re.compile(r"(?=.*\d)[\w.:~=-]+|\[\w+\]|[\w-]{24,}")
_MAX_MESSAGE_CHARS = 300


@dataclass(frozen=True)
class ErrorSignature:
    """Readable input of the fingerprint."""

    message: str
    route: str
    top_frame: str

    @property
    def fingerprint(self) -> str:
        parts = "\x1f".join((self.message, self.route, self.top_frame))
        return f"{VERSION}:{hashlib.sha256(parts.encode('utf-8', 'replace')).hexdigest()[:16]}"


def extract_signature(
    *,
    description: str,
    location: str,
    recent_logs: Sequence[Mapping[str, Any]],
    network_events: Sequence[Mapping[str, Any]],
) -> ErrorSignature | None:
    """Return the signature of a redacted report, or None without an error. Entries are newest first."""
    route = normalize_route(location)
    for text, frames in (_in_description(description), _in_logs(recent_logs)):
        if text:
            return ErrorSignature(normalize_message(text), route, _top_frame(frames))
    failed = next((event for event in network_events[:_MAX_EXAMINED] if has_failed(event)), None)
    if failed is None:
        return None
    outcome = failed.get("status") or normalize_message(str(failed.get("error") or "no answer"))
    message = f"{str(failed.get('method', '')).upper()[:10]} {normalize_route(str(failed.get('url', '')))} {outcome}"
    return ErrorSignature(message, route, "")


def has_failed(event: Mapping[str, Any]) -> bool:
    status = event.get("status")
    return bool(event.get("error")) or event.get("ok") is False or (isinstance(status, int) and status >= 400)


def is_error(entry: Mapping[str, Any]) -> bool:
    return str(entry.get("level", "")).lower() in ("error", "fatal", "critical")


def _in_description(description: str) -> tuple[str, str]:
    match = _ERROR_LINE.search(description[:20_000])
    return (match[1], description[match.end() :]) if match else ("", "")


def _in_logs(recent_logs: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    for entry in recent_logs[:_MAX_EXAMINED]:
        if is_error(entry):
            details = [part for part in entry.get("serializedArgs") or () if isinstance(part, Mapping)]
            stack = next((str(part["stack"]) for part in details if part.get("stack")), "")
            text = str(entry.get("message", ""))
            named = next((part for part in details if part.get("message")), None)
            if named is not None:
                text += f" | {named.get('name') or 'Error'}: {named['message']}"
            return text, stack
    return "", ""


def normalize_message(text: str) -> str:
    """Replace ids, numbers, timestamps and query strings by placeholders. Idempotent."""
    text = " ".join(text[: 4 * _MAX_MESSAGE_CHARS].lower().split())
    text = _QUERY.sub("", text)
    for pattern, placeholder in ((_UUID, "<id>"), (_TIMESTAMP, "<time>"), (_HEX, "<id>"), (_NUMBER, "<n>")):
        text = pattern.sub(placeholder, text)
    return " ".join(text.split())[:_MAX_MESSAGE_CHARS].rstrip()


def normalize_route(location: str) -> str:
    """Return the path of a URL with ids replaced: `/albums/88` becomes `/albums/:id`."""
    try:
        path = urlsplit(location.strip()[:2000]).path
    except ValueError:
        return ""
    segments = [segment.strip().lower() for segment in path.split("/") if segment.strip()]
    kept = [":id" if segment == ":id" or _ID_SEGMENT.fullmatch(segment) else segment for segment in segments]
    return "/" + "/".join(kept[:12]) if kept else ("/" if path else "")


def _top_frame(stack: str) -> str:
    """Return function and file of the first own frame, without line numbers and build hashes, which change often."""
    frames = [match for line in stack.splitlines()[:80] for match in [_frame(line)] if match]
    own = [frame for frame in frames if not any(word in frame["file"].lower() for word in _THIRD_PARTY)]
    for frame in own or frames:
        name = re.sub(r".*[/\\]", "", _QUERY.sub("", frame["file"]))
        name = re.sub(r"[.-](?=[\w]*\d)[\w]{6,}(?=\.\w+$)", "", name).lower()
        return f"{frame['name'].lower()}@{name}"
    return ""


def _frame(line: str) -> re.Match[str] | None:
    return next((match for pattern in _FRAMES if (match := pattern.match(line[:500]))), None)
