"""Send recorded requests over HTTP and normalize the responses: ids, timestamps and tokens become placeholders."""

import http.client
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from tests.support.media import make_mp4, make_png, make_wav

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
_BOUNDARY = "----boundary-that-no-file-contains"
_FILES = {
    "look.png": (make_png, "image/png"),
    "star.png": (make_png, "image/png"),
    "song.wav": (make_wav, "audio/wav"),
    "film.mp4": (make_mp4, "video/mp4"),
}
_PLACEHOLDERS = (
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
    """Return status, headers in lower case and body. Redirects are not followed, because none is allowed."""
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=30)
    body, headers = _encode(step)
    connection.request(
        step["method"],
        quote(step["path"], safe="/:?&=%+,"),
        body,
        {**credentials, **headers, **step.get("headers", {})},
    )
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, content


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


class Normalizer:
    """Replace values that change between runs. An id keeps its placeholder within one story."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def __call__(self, content: bytes) -> str:
        text = content.decode()
        for pattern, placeholder in _PLACEHOLDERS:
            text = pattern.sub(placeholder, text)
        return _PUBLIC_ID.sub(lambda match: self._ids.setdefault(match[0], f"<id {len(self._ids) + 1}>"), text)
