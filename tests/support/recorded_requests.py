"""Recorded exchanges: requests sent over real HTTP, answers with what changes from run to run made equal."""

import http.client
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from tests.support.media import make_mp4, make_png, make_wav

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
_BOUNDARY = "----a-boundary-no-file-holds"
_FILES = {
    "look.png": (make_png, "image/png"),
    "star.png": (make_png, "image/png"),
    "song.wav": (make_wav, "audio/wav"),
    "film.mp4": (make_mp4, "video/mp4"),
}
_CHANGING = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "<moment>"),
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"), "<token>"),
    (re.compile(r"(127\.0\.0\.1|localhost):\d+"), "<server>"),
    (re.compile(r'("(?:uptime|responseTime|databaseBytes)": ?)[\d.]+'), r"\1<number>"),
    (re.compile(r'("id": ?")((?:sub)?category-)\d+'), r"\1\2<key>"),
    (re.compile(r'("(?:generatedAt|validationDate)": ?")[^"]+'), r"\1<moment>"),
)
_PUBLIC_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])")


def read_requests(story: str) -> list[dict[str, Any]]:
    return json.loads((CONTRACTS / "requests" / f"{story}.json").read_text())


def send(base_url: str, step: dict[str, Any], credentials: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """(status, headers in lower case, body); redirects are not followed: none may be sent."""
    link = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=30)
    body, headers = _encode(step)
    link.request(
        step["method"],
        quote(step["path"], safe="/:?&=%+,"),
        body,
        {**credentials, **headers, **step.get("headers", {})},
    )
    answer = link.getresponse()
    content = answer.read()
    link.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


def _encode(step: dict[str, Any]) -> tuple[bytes | None, dict[str, str]]:
    if "json" in step:
        return json.dumps(step["json"]).encode(), {"Content-Type": "application/json"}
    if "form" not in step:
        return None, {}
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in step["form"]
    ]
    for part, filename in step["files"]:
        make, content_type = _FILES[filename]
        head = f'Content-Disposition: form-data; name="{part}"; filename="{filename}"\r\nContent-Type: {content_type}'
        parts.append(f"--{_BOUNDARY}\r\n{head}\r\n\r\n".encode() + make() + b"\r\n")
    body = b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}


class Normaliser:
    """The same id gets the same placeholder all through a story."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def __call__(self, content: bytes) -> str:
        text = content.decode()
        for pattern, placeholder in _CHANGING:
            text = pattern.sub(placeholder, text)
        return _PUBLIC_ID.sub(lambda match: self._ids.setdefault(match[0], f"<id {len(self._ids) + 1}>"), text)
