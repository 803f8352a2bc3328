"""What the new fields and their backfill cost those who read: response times of list, detail and search with the three
fields on and filled against off, and while a backfill goes on against without.

Two clients with short pauses; the sides take turns, slot by slot, on one server; figures are of all slots of a side.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.environment import environment_of, make_database, manage, python, served, vacuum
from benchmarks.load import request_times_ms
from devstack.embedded import ensure

PORT = 8796
DATABASE = "bench_fields"
READS = {
    "list of 50": "/api/assets?limit=50",
    "detail": "/api/assets/{name}",
    "search": "/api/assets?limit=50&search=neon+velvet",
}
_PREPARE = """
from django.utils import timezone
from accounts.models import User
from accounts.tokens import issue_token
from assets.demo import load_demo
from assets.models import Asset
from taxonomy.sync import install_starter_taxonomy
now = timezone.now()
install_starter_taxonomy(now=now)
load_demo(asset_count=ROWS, now=now)
Asset.objects.update(creator_description=None, ai_metadata=None)
print(issue_token(User.objects.create_user("bench@example.com"), now), Asset.objects.filter(layer="L").first().name)
"""
_FLAGS = """
from django.utils import timezone
from flags.editing import update_flag
for name in ("ai_metadata", "album_art", "creator_description", "search_creator_description"):
    update_flag(name=name, everyone=ON, by=None, reason="benchmark", now=timezone.now())
"""
# What the cancelled run wrote counts as filled, too: the field's flag waits for no more than a finalised run.
_FINALISE = """
from django.utils import timezone
from backfills.models import BackfillRun
from backfills.run_control import finalise
for run in BackfillRun.objects.filter(state="finished"):
    finalise(run.pk, by="benchmark", now=timezone.now())
"""

Times = dict[tuple[str, str], list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=8.0, help="length of one slot")
    options = parser.parse_args()
    addresses = ensure(Path(tempfile.mkdtemp(prefix="registry-bench-")), ephemeral=True)
    make_database(addresses, DATABASE)
    environment = environment_of(addresses, DATABASE)
    manage(environment, "migrate", "-v0")
    token, name = python(environment, _PREPARE.replace("ROWS", str(options.rows))).split()[-2:]
    vacuum(addresses, DATABASE)
    console = Console()

    paths = {path.format(name=name): read for read, path in READS.items()}

    def ask(times: Times, side: str) -> None:
        found = request_times_ms(PORT, list(paths), [f"Authorization: Bearer {token}"], seconds=options.seconds)
        for path, read in paths.items():
            times.setdefault((read, side), []).extend(found[path])

    fields: Times = {}
    with served(environment, PORT):
        ask({}, "warm")
        during = _measure_during(environment, ask, rounds=options.rounds, console=console)
        manage(environment, "backfill", "cancel", "assets.creator_description")
        manage(environment, "backfill_assets", "--batch-size", "1000")
        python(environment, _FINALISE)
        vacuum(addresses, DATABASE)
        for side in track(["off", "on"] * options.rounds, "Fields", console=console, transient=True):
            python(environment, _FLAGS.replace("ON", str(side == "on")))
            ask(fields, side)
    _show(console, "without a backfill", "while one goes on", during, ("idle", "running"))
    _show(console, "fields off", "on and filled", fields, ("off", "on"))


def _measure_during(
    environment: dict[str, str], ask: Callable[[Times, str], None], *, rounds: int, console: Console
) -> Times:
    """The run is paused for one slot and goes on in the next; its throttle is on, and it rests between batches."""
    times: Times = {}
    command = [sys.executable, "manage.py", "backfill"]
    run = [*command, "run", "assets.creator_description", "--batch-size", "100", "--rest", "5"]
    for turn in track(range(rounds), "Backfill", console=console, transient=True):
        ask(times, "idle")
        words = run if turn == 0 else [*command, "resume", "assets.creator_description"]
        worker = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(3)  # until Django is up
        ask(times, "running")
        if worker.poll() is not None:
            raise RuntimeError("the backfill ended before the measurement; use more --rows")
        manage(environment, "backfill", "pause", "assets.creator_description")
        worker.wait(30)
    console.print(manage(environment, "backfill", "status", "assets.creator_description").strip())
    return times


def _show(console: Console, first: str, second: str, times: Times, sides: tuple[str, str]) -> None:
    table = Table("read", f"p50 {first}", f"p50 {second}", "ratio", f"p95 {first}", f"p95 {second}", "ratio")
    for read in READS:
        cells = []
        for place in (50, 95):
            before, after = (statistics.quantiles(times[read, side], n=100)[place - 1] for side in sides)
            cells += [f"{before:.2f} ms", f"{after:.2f} ms", f"{after / before:.2f}"]
        table.add_row(read, *cells)
    console.print(table)


if __name__ == "__main__":
    main()
