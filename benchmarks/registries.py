"""Registries of several sizes, each with a running server, for benchmarks of reads."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from benchmarks.environment import (
    database_exists,
    environment_of,
    host_of,
    make_database,
    manage,
    python,
    served,
    vacuum,
)
from benchmarks.load import HttpRequest, connect, json_request, pin_client, pin_servers
from devstack.embedded import ensure

PAGE_ROWS = 50
_LOAD = """
from django.utils import timezone
from benchmarks.dataset import load_assets
from flags.editing import turn_on_for_everyone
from flags.registry import FLAG_NAMES
from taxonomy.sync import install_starter_taxonomy
now = timezone.now()
install_starter_taxonomy(now=now)
turn_on_for_everyone(sorted(FLAG_NAMES), by=None, reason="benchmark", now=now)
load_assets(ROWS, now=now)
"""
_LOGIN = """
from django.test import Client
from django.utils import timezone
from accounts.models import User
from accounts.tokens import issue_token
admin = User.objects.filter(email="bench@example.com").first()
admin = admin or User.objects.create_superuser("bench@example.com", "bench", "a-password-of-a-benchmark")
client = Client()
client.force_login(admin)
print(issue_token(admin, timezone.now()), client.cookies["sessionid"].value)
"""


@dataclass(frozen=True)
class Registry:
    """A database with `size` assets at first, and the port of its server."""

    size: int
    port: int
    database: psycopg.Connection[Any]
    token: str
    session: str
    environment: dict[str, str]

    @property
    def api_headers(self) -> list[str]:
        return [f"Authorization: Bearer {self.token}"]

    @property
    def admin_headers(self) -> list[str]:
        return [f"Cookie: sessionid={self.session}"]

    def count(self, condition: str = "true") -> int:
        return self._query(f"SELECT count(*) FROM assets_asset WHERE deleted_at IS NULL AND {condition}")[0][0]

    def last_page(self, condition: str = "true") -> int:
        return max(1, -(-self.count(condition) // PAGE_ROWS))

    def names(self, count: int) -> list[str]:
        """Return HFNs from all over the table."""
        query = "SELECT name FROM assets_asset WHERE deleted_at IS NULL ORDER BY md5(public_id) LIMIT %s"
        return [name for (name,) in self._query(query, count)]

    def largest_subcategory(self, layer: str) -> tuple[str, str]:
        """Return the names of the category and subcategory with the most assets."""
        groups = "SELECT category, subcategory FROM assets_asset WHERE layer = %s GROUP BY 1, 2"
        return self._query(f"{groups} ORDER BY count(*) DESC LIMIT 1", layer)[0]

    def write_by_api(self, names: Iterable[str]) -> Iterator[None]:
        """Each step edits the description of one asset, through the API."""
        with connect(self.port, self.api_headers) as send:
            for number, name in enumerate(names):
                send(json_request("PUT", f"/api/assets/{quote(name)}", {"description": f"Edited, {number}"}))
                yield

    def _query(self, query: str, *params: Any) -> list[Any]:
        return self.database.execute(query, params or None).fetchall()


@contextmanager
def run_registries(sizes: Sequence[int], data_dir: Path, *, first_port: int, keep: bool) -> Iterator[list[Registry]]:
    """Build the databases that `data_dir` lacks, and serve each: one process, one thread, all on the first core.

    With `keep` the folder stays, and the next run uses the databases after it has migrated them.
    """
    pin_servers()
    server_urls = ensure(data_dir, ephemeral=not keep)
    with ExitStack() as stack:
        registries = []
        for position, size in enumerate(sizes):
            name, port = f"bench_{size}", first_port + position
            is_new = not database_exists(server_urls, name)
            if is_new:
                make_database(server_urls, name)
            environment = environment_of(server_urls, name)
            pin_client()  # the rows are made beside the database, not in turn with it
            manage(environment, "migrate", "-v0")
            if is_new:
                python(environment, _LOAD.replace("ROWS", str(size)))
            token, session = python(environment, _LOGIN).split()[-2:]
            vacuum(server_urls, name)
            pin_servers()
            stack.enter_context(served(environment, port))
            database = psycopg.connect(host=host_of(server_urls), user="postgres", dbname=name, autocommit=True)
            registries.append(Registry(size, port, stack.enter_context(database), token, session, environment))
        pin_client()
        yield registries


def batch_requests(path: str, names: Sequence[str], count: int = 20) -> list[HttpRequest]:
    """Return `count` reads of fifty names each."""
    return [
        json_request(
            "POST", path, {"addresses": [names[(start * 37 + step) % len(names)] for step in range(PAGE_ROWS)]}
        )
        for start in range(count)
    ]
