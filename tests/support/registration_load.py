"""Register assets over many HTTP connections at once."""

import http.client
import json
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.support.media import make_mp4, make_png, make_wav

# Layer, category, subcategory, file name, file
NODES = (
    ("L", "CAS", "ATL", "a.png", make_png()),
    ("L", "CAS", "BAS", "b.png", make_png("navy")),
    ("S", "POP", "BAS", "c.png", make_png("red")),
    ("S", "RCK", "BAS", "d.png", make_png("gray")),
    ("G", "POP", "BAS", "e.wav", make_wav()),
    ("M", "POP", "BAS", "f.mp4", make_mp4()),
    ("W", "BCH", "BAS", "g.mp4", make_mp4()),
)


@dataclass
class LoadResult:
    """The names that responses confirmed, the number of responses of each status or exception, and other answers."""

    names: list[str] = field(default_factory=list)
    responses: Counter[int | str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)


def register_over_connections(port: int, token: str, *, connections: int, each: int) -> LoadResult:
    """Send `each` registrations with a file over each connection, one after the other, to all nodes in turn.

    A failed registration is not sent again; a lost connection is opened again.
    """
    result, lock, gate = LoadResult(), threading.Lock(), threading.Barrier(connections)
    requests = [_multipart(*node) for node in NODES]

    def work(position: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        gate.wait()
        for turn in range(each):
            content_type, body = requests[(position + turn) % len(requests)]
            headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type}
            try:
                connection.request("POST", "/api/assets", body, headers)
                response = connection.getresponse()
                answer = response.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                with lock:
                    result.responses[type(error).__name__] += 1
                continue
            with lock:
                result.responses[response.status] += 1
                if response.status == 201:
                    result.names.append(json.loads(answer)["data"]["name"])
                elif response.status != 503:
                    result.errors.append(answer.decode())
        connection.close()

    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(work, range(connections)))
    return result


def _multipart(layer: str, category: str, subcategory: str, file_name: str, content: bytes) -> tuple[str, bytes]:
    """Return the content type and the body of a registration."""
    boundary = uuid.uuid4().hex
    fields = {"layer": layer, "category": category, "subcategory": subcategory, "description": "under load"}
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
        for name, text in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
    head += "Content-Type: application/octet-stream\r\n\r\n"
    body = b"".join([*parts, head.encode(), content, f"\r\n--{boundary}--\r\n".encode()])
    return f"multipart/form-data; boundary={boundary}", body
