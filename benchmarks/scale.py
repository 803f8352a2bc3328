"""Measure how the time of a request grows with the registry: one client, milliseconds, medians of interleaved rounds.

Registries of 10,000 and 1,000,000 assets are built with COPY (some minutes) and served by one web process each, on one
core with the temporary PostgreSQL. With --data the databases are kept, and the next run migrates and uses them.
"""

import argparse
import statistics
import tempfile
from itertools import cycle
from pathlib import Path

from rich.console import Console
from rich.progress import track

from benchmarks.load import connect
from benchmarks.registries import Registry, run_registries
from benchmarks.scale_operations import Operation, make_operations
from benchmarks.tables import print_table

FIRST_PORT = 8770
_SLOT_MS = 50  # a fast request is repeated within a slot, a slow one is sent once
_EDITED_ASSETS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,1000000", help="numbers of assets (default 10000,1000000)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds (default 7)")
    parser.add_argument("--only", default="", help="measure operations whose name contains this text")
    parser.add_argument("--data", type=Path, help="folder that keeps the databases for the next run")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    console = Console(stderr=options.markdown)
    data_dir = options.data or Path(tempfile.mkdtemp(prefix="registry-bench-"))
    times: dict[tuple[str, int], list[float]] = {}
    with run_registries(sizes, data_dir, first_port=FIRST_PORT, keep=bool(options.data)) as registries:
        operations = [{each.name: each for each in make_operations(registry)} for registry in registries]
        names = [name for name in operations[0] if options.only in name and all(name in each for each in operations)]
        edited = {registry.size: cycle(registry.names(_EDITED_ASSETS)) for registry in registries}
        slots = [
            (registry, of_registry[name])
            for _ in range(options.rounds)
            for name in names
            for registry, of_registry in zip(registries, operations, strict=True)
        ]
        for registry, operation in track(slots, "Measuring", console=console, transient=True):
            taken = measure(registry, operation, edited[registry.size])
            times.setdefault((operation.name, registry.size), []).append(taken)
    show(console, times, sizes, is_markdown=options.markdown)


def measure(registry: Registry, operation: Operation, edited: "cycle[str]") -> float:
    """Return the median of one slot in milliseconds. The first request only warms up, unless each follows a write."""
    headers = registry.admin_headers if operation.is_admin else registry.api_headers
    requests = cycle(operation.requests)
    writes = registry.write_by_api(edited)
    taken: list[float] = []
    with connect(registry.port, headers) as send:
        if not operation.has_writes:
            send(next(requests))
        while sum(taken) < _SLOT_MS:
            if operation.has_writes:
                next(writes)
            taken.append(send(next(requests)))
    return statistics.median(taken)


def show(console: Console, times: dict[tuple[str, int], list[float]], sizes: list[int], *, is_markdown: bool) -> None:
    """Print the medians of each operation, and the last size against the first: the median over the rounds."""
    rows = []
    for name in dict.fromkeys(name for name, _ in times):
        medians = [f"{statistics.median(times[name, size]):.1f}" for size in sizes]
        growth = statistics.median(b / a for a, b in zip(times[name, sizes[0]], times[name, sizes[-1]], strict=True))
        rows.append([name, *medians, f"{growth:.2f}"])
    header = ["request", *(f"{size:,} assets, ms" for size in sizes), f"{sizes[-1]:,} : {sizes[0]:,}"]
    print_table(console, header, rows, is_markdown=is_markdown)


if __name__ == "__main__":
    main()
