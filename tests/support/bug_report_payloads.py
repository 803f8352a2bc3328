"""Bug reports as clients send them."""

import base64
import copy
from typing import Any

from tests.support.sample_images import make_cover

SMALL: dict[str, Any] = {
    "description": "The colour of a saved star comes back wrong.",
    "environment": {"mode": "production", "appVersion": "3.4.1", "gitSha": "9be02f7", "buildTime": "2026-02-11"},
    "clientMeta": {"locationHref": "https://studio.example/stars/12"},
    "appState": {},
    "recentLogs": [],
    "networkEvents": [],
}  # fmt: skip

FULL: dict[str, Any] = {
    "description": "Star 12: the description is lost after saving",
    "expectedBehavior": "After a reload the new text is shown",
    "actualBehavior": "The old text is there again",
    "stepsToReproduce": ["Open star 12", "Change the description", "Press Save", "Reload"],
    "environment": {"mode": "production", "appVersion": "3.4.1", "gitSha": "9be02f7", "buildTime": None},
    "clientMeta": {
        "locationHref": "https://studio.example/stars/12?tab=edit&session_token=tok_live_4711",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/141.0", "platform": "Linux x86_64",
        "language": "pt-BR", "locale": "pt-BR", "timezone": "America/Recife",
        "viewport": {"width": 1440, "height": 802},
    },
    "appState": {
        "application_state": {"current_tab": "stars", "loaded": 61, "job": None},
        "editor": {"dirty": True, "password": "hunter2"},
    },
    "recentLogs": [
        {"level": "error", "message": "PUT /stars/12 failed", "args": [{"name": "ApiError"}],
         "timestamp": "2026-02-12T13:05:07.201Z", "serializedArgs": [{"name": "ApiError", "message": "409 Conflict"}]},
    ],
    "networkEvents": [
        {"id": "c1e0", "method": "PUT", "url": "https://studio.example/api/stars/12",
         "started_at": "2026-02-12T13:05:06.900Z", "completed_at": "2026-02-12T13:05:07.190Z", "duration_ms": 290,
         "status": 409, "ok": False, "trace_id": "5f0c1d1e-77aa-4c0f-9d3c-0a1b2c3d4e5f",
         "requestHeaders": [{"name": "Authorization", "value": "Bearer eyJhbGciOi.aaa.bbb"},
                            {"name": "Content-Type", "value": "application/json"}],
         "responseHeaders": [{"name": "content-type", "value": "application/json"}],
         "requestBody": '{"description":"Novo texto","api_key":"k-123"}',
         "responseBody": '{"error":"Edited elsewhere"}'},
    ],
    "screenshot": None,
    "screenshotError": None,
}  # fmt: skip

CRASH: dict[str, Any] = {
    "description": "**Crash in Gallery**\n\nTypeError: r is undefined\n    at Grid (gallery.js:1:2201)",
    "environment": {"mode": "production"},
    "clientMeta": {"locationHref": ""},
    "appState": {"application_state": {"error": "TypeError: collector failed"}},
    "recentLogs": [
        {"level": "warn", "message": "slow render", "args": [], "timestamp": "not-a-date", "serializedArgs": []},
    ],
    "networkEvents": [
        {"id": "n9", "method": "GET", "url": "/api/images?page=2", "started_at": "2026-02-12T13:10:00Z",
         "duration_ms": 30011, "trace_id": None, "ok": False, "requestHeaders": [], "responseHeaders": [],
         "requestBody": None, "responseBody": None, "error": "TypeError: Failed to fetch"},
    ],
    "screenshot": None,
    "screenshotError": "Screenshot capture failed: canvas is tainted",
}  # fmt: skip


def small(**parts: Any) -> dict[str, Any]:
    return copy.deepcopy(SMALL) | parts


def full(**parts: Any) -> dict[str, Any]:
    return copy.deepcopy(FULL) | parts


def crash(**parts: Any) -> dict[str, Any]:
    return copy.deepcopy(CRASH) | parts


def as_data_url(content: bytes, content_type: str = "image/png") -> str:
    return f"data:{content_type};base64,{base64.b64encode(content).decode()}"


def make_screenshot(side: int = 320) -> str:
    return as_data_url(make_cover(side, form="PNG"))
