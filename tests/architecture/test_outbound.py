"""Only `outbound` opens network connections, and only to the IP address that it has checked."""

import ast
import json
import subprocess
import sys

import pytest

from tests.support.processes import ENVIRONMENT, PROJECT
from tests.support.source_server import source_server
from tests.support.source_tree import shown, source_files, syntax_tree

_OPENERS = {
    "aiohttp",
    "ftplib",
    "http.client",
    "http.server",
    "httpx",
    "imaplib",
    "poplib",
    "pycurl",
    "requests",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "telnetlib",
    "urllib.request",
    "urllib3",
    "websockets",
    "xmlrpc",
    "django.core.mail",
    "multiprocessing.connection",
}
_CALLS = {
    "open_connection",
    "open_unix_connection",
    "create_connection",
    "create_unix_connection",
    "create_datagram_endpoint",
    "sock_connect",
}
_PACKAGE = "outbound/"
# Modules that connect to servers of the settings, whose addresses no request can change.
_CONNECT_TO_OWN_SERVERS = {
    "bugreports/notifications.py": "sends digests to the mail server of the settings",
    "devstack/stack.py": "checks the health of the web server that it started",
    "devstack/embedded/valkey.py": "pings the Valkey that it started over a Unix socket",
}


def _openings(tree: ast.Module) -> list[int]:
    """Return the lines that import a module for connections or call a method that opens one."""
    lines = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), names=names):
                modules = [module, *(f"{module}.{alias.name}" for alias in names)]
            case ast.Call(func=ast.Attribute(attr=attribute)) if attribute in _CALLS:
                lines.append(node.lineno)
                continue
            case ast.Call(
                func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(name)],
            ):
                modules = [str(name)]
            case _:
                continue
        if any(module == opener or module.startswith(f"{opener}.") for module in modules for opener in _OPENERS):
            lines.append(node.lineno)
    return lines


def test_no_other_module_opens_a_connection() -> None:
    found = {shown(path): _openings(syntax_tree(path)) for path in source_files()}
    opening = {path for path, lines in found.items() if lines}
    assert {path for path in opening if not path.startswith(_PACKAGE)} == {*_CONNECT_TO_OWN_SERVERS}
    assert any(path.startswith(_PACKAGE) for path in opening)


@pytest.mark.parametrize(
    ("source", "succeeded"),
    [
        ("from urllib.parse import quote", True),
        ("from http import HTTPStatus", True),
        ("import socket_like", True),
        ("import socket", False),
        ("import os, urllib.request", False),
        ("import requests.adapters as a", False),
        ("from urllib import request", False),
        ("from http.client import HTTPConnection", False),
        ("from django.core import mail", False),
        ("import_module('socket')", False),
        ("importlib.import_module('socket')", False),
        ("__import__('ssl')", False),
        ("asyncio.open_connection('host', 1)", False),
        ("async def f(loop):\n    await loop.create_connection(P, 'host', 1)", False),
    ],
)
def test_the_search_for_connections_finds_them(source: str, succeeded: bool) -> None:
    assert (_openings(ast.parse(source)) == []) is succeeded


# In a separate process, because an audit hook cannot be removed.
_PROGRAM = """
import json, sys
from django.conf import settings
from outbound import UrlNotAllowed, FetchPolicy, fetch
from tests.support.fake_dns import answers_in_turn

options, good, bad = json.loads(sys.argv[1])
settings.configure(OUTBOUND_ALLOW_HTTP=False, OUTBOUND_USER_AGENT="Registry", **options)
seen = []
sys.addaudithook(lambda event, facts: seen.append([event, facts[1]]) if event == "socket.connect" else None)
sys.addaudithook(lambda event, facts: seen.append([event, facts[0]]) if event == "socket.getaddrinfo" else None)
policy = FetchPolicy(is_allowed_host=lambda host: True)
with answers_in_turn({"art.example": [["127.0.0.1"], ["10.0.0.1"]]}):
    fetch(good, policy)
    for url in (good, bad):
        try:
            fetch(url, policy)
        except UrlNotAllowed:
            seen.append(["rejected", url])
print(json.dumps(seen))
"""


def test_a_fetch_connects_to_the_checked_address_alone() -> None:
    with source_server() as server:
        server.serve("/cover.jpg", b"image")
        good = server.url("/cover.jpg", host="art.example")
        bad = server.url("/cover.jpg", host="169.254.169.254")
        result = subprocess.run(
            [sys.executable, "-c", _PROGRAM, json.dumps([server.settings, good, bad])],
            cwd=PROJECT,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == [
        ["socket.connect", ["127.0.0.1", server.port]],
        ["rejected", good],
        ["rejected", bad],
    ]
