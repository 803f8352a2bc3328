"""Time, queries and size of each list of the admin: first, middle and last page and a search, at two sizes.

In one process, over a temporary PostgreSQL. The sizes alternate within a round; times are medians.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import django
from rich.console import Console
from rich.table import Table

from devstack.embedded import ensure

if TYPE_CHECKING:
    from benchmarks.admin_lists import Measured

SIZES = (10_000, 100_000)
MAX_QUERIES = 12
MAX_KIB = 150


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="Rounds (default 5).")
    parser.add_argument("--filters", action="store_true", help="Measure each value of each filter instead.")
    options = parser.parse_args()
    server_urls = ensure(Path(tempfile.mkdtemp(prefix="registry-bench-")), ephemeral=True)
    media = tempfile.mkdtemp(prefix="registry-bench-media-")
    os.environ |= server_urls | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings", "MEDIA_ROOT": media, "PRIVATE_MEDIA_ROOT": media,
        "LOG_LEVEL": "CRITICAL",
    }  # fmt: skip
    django.setup()
    from benchmarks.admin_lists import filter_pages, measure, pages, use_database

    samples: dict[tuple[str, str], dict[int, list[Measured]]] = {}
    for _ in range(options.rounds):
        for size in SIZES:
            use_database(f"bench_{size}", size)
            for name, page, url in filter_pages() if options.filters else pages():
                samples.setdefault((name, page), {}).setdefault(size, []).append(measure(url))
    show(Console(width=120), samples)


def show(console: Console, samples: "dict[tuple[str, str], dict[int, list[Measured]]]") -> None:
    table = Table("list", "page", *(f"ms at {size:,}" for size in SIZES), "ratio", "queries", "KiB", box=None)
    for (name, page), by_size in samples.items():
        ms = [statistics.median(one.ms for one in by_size[size]) if size in by_size else None for size in SIZES]
        largest = max((one for measured in by_size.values() for one in measured), key=lambda one: one.kib)
        queries = max(one.queries for measured in by_size.values() for one in measured)
        ratio = f"{ms[1] / ms[0]:.2f}" if None not in ms else ""
        texts = ["" if one is None else f"{one:.0f}" for one in ms]
        table.add_row(name, page, *texts, ratio, str(queries), f"{largest.kib:.0f}")
    console.print(table)


if __name__ == "__main__":
    main()
