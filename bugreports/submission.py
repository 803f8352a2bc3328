"""Parse a submitted document. Errors contain the JSON pointer of the invalid value."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bugreports.errors import DescriptionMissing, InvalidPayload, PayloadNotObject

MAX_DESCRIPTION_CHARS = 20_000
MAX_STEPS = 200
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REQUIRED = ("description", "environment", "clientMeta", "appState", "recentLogs", "networkEvents")
_OPTIONAL = ("expectedBehavior", "actualBehavior", "stepsToReproduce", "screenshot", "screenshotError")


@dataclass(frozen=True)
class Submission:
    """As sent: nothing in it is scrubbed yet, so nothing of it is stored or logged."""

    description: str
    expected_behavior: str | None
    actual_behavior: str | None
    steps_to_reproduce: tuple[str, ...]
    environment: dict[str, Any]
    client_meta: dict[str, Any]
    app_state: dict[str, Any]
    recent_logs: list[dict[str, Any]]
    network_events: list[dict[str, Any]]
    screenshot: str | None
    screenshot_error: str | None


def parse_submission(document: object) -> Submission:
    """Raises PayloadNotObject, DescriptionMissing (before any other error), InvalidPayload with a JSON pointer."""
    if not isinstance(document, dict):
        raise PayloadNotObject("Request body must be a JSON object")
    description = document.get("description")
    if "description" not in document or (isinstance(description, str) and not description.strip()):
        raise DescriptionMissing("Description is required", path="/description")
    for name in document:
        if name not in _REQUIRED and name not in _OPTIONAL:
            raise InvalidPayload("This member is not part of a report", path=_pointer("", _short(name)))
    for name in _REQUIRED:
        if name not in document:
            raise InvalidPayload("This member is required", path=f"/{name}")
    return Submission(
        description=_text(document, "description", "", max_chars=MAX_DESCRIPTION_CHARS).strip(),
        expected_behavior=_text_or_null(document, "expectedBehavior", "", max_chars=MAX_DESCRIPTION_CHARS),
        actual_behavior=_text_or_null(document, "actualBehavior", "", max_chars=MAX_DESCRIPTION_CHARS),
        steps_to_reproduce=_steps(document),
        environment=_environment(document),
        client_meta=_client_meta(document),
        app_state=_object(document["appState"], "/appState"),
        recent_logs=[_log(entry, path) for entry, path in _entries(document, "recentLogs")],
        network_events=[_network_event(entry, path) for entry, path in _entries(document, "networkEvents")],
        screenshot=_text_or_null(document, "screenshot", ""),
        screenshot_error=_text_or_null(document, "screenshotError", ""),
    )


def _short(name: str) -> str:
    """A name from outside, for an error response."""
    return _UNSTORABLE.sub("\ufffd", name)[:60]


def _pointer(path: str, name: str) -> str:
    return f"{path}/{name.replace('~', '~0').replace('/', '~1')}"


def _fail(path: str, wanted: str) -> InvalidPayload:
    return InvalidPayload(f"Must be {wanted}", path=path)


def _text(container: Mapping[str, Any], name: str, path: str, *, max_chars: int | None = None) -> str:
    value = container.get(name)
    path = _pointer(path, name)
    if not isinstance(value, str):
        raise _fail(path, "a string")
    if max_chars is not None:
        if len(value) > max_chars:
            raise InvalidPayload(f"May have {max_chars} characters at most", path=path)
        if _UNSTORABLE.search(value):
            raise InvalidPayload("Holds a character that cannot be stored", path=path)
    return value


def _text_or_null(container: Mapping[str, Any], name: str, path: str, *, max_chars: int | None = None) -> str | None:
    return None if container.get(name) is None else _text(container, name, path, max_chars=max_chars)


def _whole_or_null(container: Mapping[str, Any], name: str, path: str) -> None:
    value = container.get(name)
    if value is not None and (not isinstance(value, (int, float)) or isinstance(value, bool) or value != int(value)):
        raise _fail(_pointer(path, name), "an integer or null")


def _object(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _fail(path, "an object")
    return value


def _array(value: object, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise _fail(path, "an array")
    return value


def _steps(document: Mapping[str, Any]) -> tuple[str, ...]:
    steps = _array(document.get("stepsToReproduce", []), "/stepsToReproduce")
    if len(steps) > MAX_STEPS:
        raise InvalidPayload(f"May have {MAX_STEPS} steps at most", path="/stepsToReproduce")
    named = {str(place): step for place, step in enumerate(steps)}
    return tuple(_text(named, name, "/stepsToReproduce", max_chars=MAX_DESCRIPTION_CHARS) for name in named)


def _environment(document: Mapping[str, Any]) -> dict[str, Any]:
    environment = _object(document["environment"], "/environment")
    _text(environment, "mode", "/environment")
    for name in ("appVersion", "gitSha", "buildTime"):
        _text_or_null(environment, name, "/environment")
    return environment


def _client_meta(document: Mapping[str, Any]) -> dict[str, Any]:
    meta = _object(document["clientMeta"], "/clientMeta")
    _text(meta, "locationHref", "/clientMeta")
    for name in ("userAgent", "platform", "language", "locale", "timezone"):
        if name in meta:
            _text(meta, name, "/clientMeta")
    if "viewport" in meta:
        path = "/clientMeta/viewport"
        viewport = _object(meta["viewport"], path)
        for name in viewport:
            if name not in ("width", "height"):
                raise InvalidPayload("This member is not part of a viewport", path=_pointer(path, _short(name)))
        for name in ("width", "height"):
            if viewport.get(name) is None:
                raise _fail(f"{path}/{name}", "an integer")
            _whole_or_null(viewport, name, path)
    return meta


def _entries(document: Mapping[str, Any], name: str) -> list[tuple[dict[str, Any], str]]:
    entries = _array(document[name], f"/{name}")
    return [(_object(entry, f"/{name}/{place}"), f"/{name}/{place}") for place, entry in enumerate(entries)]


def _require(entry: Mapping[str, Any], names: tuple[str, ...], path: str, check: Callable[..., Any]) -> None:
    for name in names:
        if name not in entry:
            raise InvalidPayload("This member is required", path=_pointer(path, name))
        check(entry, name, path)


def _log(entry: dict[str, Any], path: str) -> dict[str, Any]:
    _require(entry, ("level", "message", "timestamp"), path, _text)
    _require(entry, ("args", "serializedArgs"), path, lambda e, name, at: _array(e[name], _pointer(at, name)))
    return entry


def _network_event(entry: dict[str, Any], path: str) -> dict[str, Any]:
    _require(entry, ("id", "method", "url", "started_at"), path, _text)
    _require(entry, ("requestHeaders", "responseHeaders"), path, _headers)
    for name in ("completed_at", "trace_id", "requestBody", "responseBody"):
        _text_or_null(entry, name, path)
    for name in ("duration_ms", "status"):
        _whole_or_null(entry, name, path)
    if entry.get("ok") is not None and not isinstance(entry["ok"], bool):
        raise _fail(f"{path}/ok", "a boolean or null")
    if "error" in entry:
        _text(entry, "error", path)
    return entry


def _headers(entry: Mapping[str, Any], name: str, path: str) -> None:
    path = _pointer(path, name)
    for place, pair in enumerate(_array(entry[name], path)):
        pair = _object(pair, f"{path}/{place}")
        if set(pair) != {"name", "value"}:
            raise _fail(f"{path}/{place}", "a pair of name and value")
        _text(pair, "name", f"{path}/{place}")
        _text(pair, "value", f"{path}/{place}")
