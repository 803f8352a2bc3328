"""A backfill with its ledger against one single UPDATE of the same column, and its undoing.

Every measurement has a fresh copy of the same database, so that none inherits the dead rows of another. The ways take
turns within a round; figures are medians of the rounds.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.environment import drop_database, environment_of, make_database, manage, python, vacuum
from devstack.embedded import ensure

TEMPLATE = "bench_backfill"
ONE_UPDATE = """
import time
from django.db import connection
with connection.cursor() as cursor:
    began = time.perf_counter()
    cursor.execute("UPDATE assets_asset SET creator_description = name, creator_description_origin = 'backfill'"
                   " WHERE creator_description IS NULL")
print(time.perf_counter() - began)
"""
# Prints the seconds of the run and of its undoing.
BY_ENGINE = """
import time
from django.apps import apps
from django.utils import timezone
from assets.backfill_rules import CREATOR_DESCRIPTION_RULE as rule
from jobs.runner import run_to_completion
from backfills.engine.run_setup import create_run_context, start_run
from backfills.run_control import begin_undo
now = timezone.now()
context = create_run_context(
    rule, apps, parameters={}, by="benchmark", reason="benchmark", now=now, batch_size=BATCH_ROWS
)
start_run(context, by="benchmark", now=now)
began = time.perf_counter()
run_to_completion(context, clock=timezone.now)
took = time.perf_counter() - began
begin_undo(context.run_pk, by="benchmark", now=now)
began = time.perf_counter()
run_to_completion(context, clock=timezone.now)
print(took, time.perf_counter() - began)
"""
WAYS = {"one UPDATE": ONE_UPDATE} | {
    f"batches of {rows:,}": BY_ENGINE.replace("BATCH_ROWS", str(rows)) for rows in (100, 1000)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    addresses = ensure(Path(tempfile.mkdtemp(prefix="registry-bench-")), ephemeral=True)
    _fill(addresses, options.rows)
    console = Console()
    seconds: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    slots = [way for _ in range(options.rounds) for way in WAYS]
    for position, way in enumerate(track(slots, "Measuring", console=console, transient=True)):
        database = f"bench_backfill_{position}"
        make_database(addresses, database, template=TEMPLATE)
        vacuum(addresses, database)
        told = python(environment_of(addresses, database), WAYS[way])
        seconds[way].append([float(text) for text in told.split()[-2 if way != "one UPDATE" else -1 :]])
        drop_database(addresses, database)
    _show(console, options.rows, seconds)


def _fill(addresses: dict[str, str], rows: int) -> None:
    make_database(addresses, TEMPLATE)
    environment = environment_of(addresses, TEMPLATE)
    manage(environment, "migrate", "-v0")
    python(
        environment,
        "from django.utils import timezone\nfrom assets.demo import load_demo\n"
        "from taxonomy.sync import install_starter_taxonomy\n"
        f"install_starter_taxonomy(now=timezone.now())\nload_demo(asset_count={rows}, now=timezone.now())\n"
        "from assets.models import Asset\nAsset.objects.update(creator_description=None)",
    )
    vacuum(addresses, TEMPLATE)


def _show(console: Console, rows: int, seconds: dict[str, list[list[float]]]) -> None:
    table = Table("way", "rows/s", "against one UPDATE", "undo, rows/s", "undo against one UPDATE")
    single = rows / statistics.median(one for [one] in seconds["one UPDATE"])
    for way, rounds in seconds.items():
        rates = [rows / statistics.median(metrics) for metrics in zip(*rounds, strict=True)]
        cells = [cell for rate in rates for cell in (f"{rate:,.0f}", f"{rate / single:.2f}")]
        table.add_row(way, *cells)
    console.print(table)


if __name__ == "__main__":
    main()
