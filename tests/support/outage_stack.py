"""A registry of its own: embedded servers, web, worker and beat, and one request of each kind to it."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack import embedded
from tests.support.bug_report_payloads import small
from tests.support.media import make_png, make_wav

PROJECT = Path(__file__).resolve().parents[2]
KINDS = ("health", "list", "detail", "search", "create", "edit", "login", "bug report", "admin page")
_BOUNDARY = "partBOUNDARYpart"
_PREPARE = """
import json
from django.test import Client
from django.utils import timezone
from accounts.demo import ensure_demo_users
from accounts.tokens import issue_token
from assets.demo import load_demo
from assets.models import Asset
from flags.editing import turn_on_for_everyone
from flags.registry import FLAG_NAMES
from taxonomy.sync import install_starter_taxonomy
install_starter_taxonomy(now=timezone.now())
admin, editor = ensure_demo_users()
load_demo(asset_count=200, now=timezone.now())
turn_on_for_everyone(FLAG_NAMES, by=None, reason="outage", now=timezone.now())
browser = Client()
browser.force_login(admin)
names = list(Asset.objects.order_by("pk").values_list("name", flat=True)[:2])
print(json.dumps({"token": issue_token(admin, timezone.now()), "names": names,
                  "session": browser.cookies["sessionid"].value}))
"""


@dataclass(frozen=True)
class Reply:
    status: int
    seconds: float
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class OutageStack:
    data_dir: Path
    port: int
    environment: dict[str, str]
    token: str
    session: str
    names: list[str]

    def send(self, kind: str) -> Reply:
        """Send a request of `kind`, with a connection of its own."""
        return self.request(*self._request_of(kind))

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        started = time.perf_counter()
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, time.perf_counter() - started, named, content)

    def create_song(self, album_art: str) -> Reply:
        wav = b'; filename="a.wav"\r\nContent-Type: audio/wav'
        parts = {"layer": b"G", "category": b"POP", "subcategory": b"BAS", "description": b"A song"}
        parts["albumArt"] = album_art.encode()
        return self.request("POST", "/api/assets", *_form(parts, self.bearer(), wav, make_wav()))

    def manage(self, *arguments: str) -> str:
        return _manage(self.environment, *arguments)

    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _request_of(self, kind: str) -> tuple[Any, ...]:
        as_json = self.bearer() | {"Content-Type": "application/json"}
        first, second = self.names
        match kind:
            case "health":
                return "GET", "/api/health", {}
            case "list":
                return "GET", "/api/assets?page=1&limit=10", self.bearer()
            case "detail":
                return "GET", f"/api/assets/{first}", self.bearer()
            case "search":
                return "GET", "/api/assets?search=harbour", self.bearer()
            case "create":
                png = b'; filename="a.png"\r\nContent-Type: image/png'
                parts = {"layer": b"L", "category": b"CAS", "subcategory": b"ATL", "description": b"A look"}
                return "POST", "/api/assets", *_form(parts, self.bearer(), png, make_png())
            case "edit":
                return "PUT", f"/api/assets/{second}", as_json, json.dumps({"tags": ["edited"]}).encode()
            case "login":
                body = json.dumps({"email": "editor@demo.test", "password": "registry-demo"}).encode()
                return "POST", "/api/auth/login", {"Content-Type": "application/json"}, body
            case "bug report":
                document = small(description=f"Report {time.monotonic_ns()}")
                return "POST", "/api/bug-reports", as_json, json.dumps(document).encode()
            case "admin page":
                return "GET", "/admin/flags/fieldflag/", {"Cookie": f"sessionid={self.session}"}
        raise ValueError(kind)


def _form(
    parts: dict[str, bytes], headers: dict[str, str], file_head: bytes, content: bytes
) -> tuple[dict[str, str], bytes]:
    body = b""
    for name, value, head in [(name, value, b"") for name, value in parts.items()] + [("file", content, file_head)]:
        body += f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode() + head
        body += b"\r\n\r\n" + value + b"\r\n"
    content_type = f"multipart/form-data; boundary={_BOUNDARY}"
    return headers | {"Content-Type": content_type}, body + f"--{_BOUNDARY}--\r\n".encode()


def _manage(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, env=environment, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True, timeout=600
    ).stdout


@contextmanager
def started_stack(folder: Path, *, port: int, web_workers: int = 1, with_worker: bool = False) -> Iterator[OutageStack]:
    """Start servers and processes of their own, with 200 assets. Logs are in `folder`."""
    data_dir = folder / "servers"
    rates = ("ACCOUNTS_LOGIN", "ACCOUNTS_LOGIN_EMAIL", "BUGREPORTS_USER", "BUGREPORTS_USER_DAY", "BUGREPORTS_GLOBAL")
    unlimited = {f"{name}_RATE": "1000000/min" for name in rates}
    environment = os.environ | embedded.ensure(data_dir, ephemeral=True) | unlimited | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "MEDIA_ROOT": str(folder / "media"),
        "PRIVATE_MEDIA_ROOT": str(folder / "private"),
        "PYTHONWARNINGS": "ignore",
        "PYTHONUNBUFFERED": "1",
        "OUTBOUND_ALLOW_LOOPBACK": "1",
        "OUTBOUND_ALLOW_HTTP": "1",
        "ALBUMART_ALLOWED_HOSTS": "127.0.0.1",
        "ALBUMART_RESEND_SECONDS": "5",
        "ALBUMART_LEASE_SECONDS": "10",
    }  # fmt: skip
    _manage(environment, "migrate", "-v0")
    facts = json.loads(_manage(environment, "shell", "-v0", "-c", _PREPARE).splitlines()[-1])
    commands = {
        "web": ["granian", "--interface", "wsgi", "--port", str(port), "--workers", str(web_workers),
                "--blocking-threads", "1", "--workers-kill-timeout", "5", "--log-level", "warning",
                "config.wsgi:application"],
    }  # fmt: skip
    if with_worker:
        celery = ["celery", "--app", "config", "--quiet"]
        lone = ["--without-mingle", "--without-gossip"]
        commands["worker"] = [*celery, "worker", "--concurrency", "1", *lone, "-l", "INFO"]
        commands["beat"] = [*celery, "beat", "--schedule", str(folder / "beat"), "--pidfile", "", "-l", "INFO"]
    with ExitStack() as running:
        for name, command in commands.items():
            running.enter_context(_running(command, environment, folder / f"{name}.log"))
        stack = OutageStack(data_dir, port, environment, **facts)
        _wait_for_web(stack)
        yield stack


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env=environment, cwd=PROJECT, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_web(stack: OutageStack) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            stack.send("health")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return
