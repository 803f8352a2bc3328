"""Benchmark reads at two sizes of the registry against raw SQL and plain Django REST framework.

Each server is granian with one worker and one thread, over a temporary PostgreSQL. The three implementations alternate
within a round, so that changes in machine load affect all of them. Each result is the median of the rounds.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.environment import environment_of, make_database, manage, python, served, vacuum
from benchmarks.load import requests_per_second
from devstack.embedded import ensure

SIZES = (10_000, 100_000)
FIRST_PORT = 8790
RARE_WORD = "xylographic"
RARE_ROWS = 40
# Read -> path of each implementation; {name} is the name of an asset.
READS: dict[str, dict[str, str]] = {
    "list of 50": {"ours": "/api/assets?limit=50", "raw": "/raw/list", "drf": "/drf/list"},
    "detail": {"ours": "/api/assets/{name}", "raw": "/raw/detail/{name}", "drf": "/drf/detail/{name}"},
    "search, rare word": {
        "ours": f"/api/assets?limit=50&search={RARE_WORD}",
        "raw": f"/raw/search?search={RARE_WORD}",
        "drf": f"/drf/list?search={RARE_WORD}",
    },
    "search, word in 9 %": {
        "ours": "/api/assets?limit=50&search=neon",
        "raw": "/raw/search?search=neon",
        "drf": "/drf/list?search=neon",
    },
}
_PREPARE = f"""
from django.utils import timezone
from accounts.models import User
from accounts.tokens import issue_token
from assets.demo import load_demo
from flags.editing import turn_on_for_everyone
from flags.registry import FLAG_NAMES
from taxonomy.sync import install_starter_taxonomy
now = timezone.now()
install_starter_taxonomy(now=now)
load_demo(asset_count=int(ROWS), now=now)
turn_on_for_everyone(sorted(FLAG_NAMES), by=None, reason="benchmark", now=now)
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("UPDATE assets_asset SET description = description || ' {RARE_WORD}' WHERE id IN"
                   " (SELECT id FROM assets_asset ORDER BY md5(public_id) LIMIT {RARE_ROWS})")
    cursor.execute("SELECT name FROM assets_asset WHERE layer = 'L' ORDER BY id LIMIT 1")
    print(issue_token(User.objects.create_user("bench@example.com"), now), cursor.fetchone()[0])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="Rounds (default 3).")
    parser.add_argument("--seconds", type=float, default=2.0, help="Seconds per measurement (default 2).")
    options = parser.parse_args()
    server_urls = ensure(Path(tempfile.mkdtemp(prefix="registry-bench-")), ephemeral=True)
    console = Console()
    samples: dict[tuple[str, str, int], list[float]] = {}
    with serve(server_urls) as servers:
        slots = [
            (read, way, size) for _ in range(options.rounds) for read in READS for size in SIZES for way in READS[read]
        ]
        for read, way, size in track(slots, "Measuring", console=console, transient=True):
            port, token, name = servers[size]
            path = READS[read][way].format(name=name)
            rate = requests_per_second(port, path, [f"Authorization: Bearer {token}"], seconds=options.seconds)
            samples.setdefault((read, way, size), []).append(rate)
    show(console, {key: statistics.median(rates) for key, rates in samples.items()})


@contextmanager
def serve(server_urls: dict[str, str]) -> Iterator[dict[int, tuple[int, str, str]]]:
    """Run a server for each size; yield {size: (port, token, name of an asset)}."""
    servers: dict[int, tuple[int, str, str]] = {}
    with ExitStack() as stack:
        for position, size in enumerate(SIZES):
            database = f"bench_{size}"
            make_database(server_urls, database)
            environment = environment_of(server_urls, database)
            manage(environment, "migrate", "-v0")
            token, name = python(environment, _PREPARE.replace("ROWS", str(size))).split()[-2:]
            vacuum(server_urls, database)
            stack.enter_context(served(environment, FIRST_PORT + position))
            servers[size] = (FIRST_PORT + position, token, name)
        yield servers


def show(console: Console, rates: dict[tuple[str, str, int], float]) -> None:
    """Print requests per second of each implementation, and their ratios."""
    table = Table("read", "assets", "ours/s", "raw/s", "drf/s", "ours : raw", "ours : drf", "slower than at 10,000")
    for read in READS:
        for size in SIZES:
            ours, raw, drf = (rates[read, way, size] for way in ("ours", "raw", "drf"))
            growth = "" if size == SIZES[0] else f"{rates[read, 'ours', SIZES[0]] / ours:.2f} x"
            table.add_row(
                read,
                f"{size:,}",
                f"{ours:.0f}",
                f"{raw:.0f}",
                f"{drf:.1f}",
                f"{ours / raw:.2f}",
                f"{ours / drf:.1f}",
                growth,
            )
    console.print(table)


if __name__ == "__main__":
    main()
