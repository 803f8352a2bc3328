"""Measure the reads of the API at several sizes against raw SQL, a baseline tuned by hand, and plain REST framework.

Each server is granian with one worker and one thread, and shares a core with the temporary PostgreSQL. The
implementations alternate within a round, so that changes in machine load affect all of them. Ratios are medians of the
ratios of the rounds.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from rich.console import Console
from rich.progress import track

from benchmarks.baseline_table import conditions, make_table
from benchmarks.environment import served
from benchmarks.load import HttpRequest, connect, fetch_json, pin_client, pin_servers, requests_per_second
from benchmarks.registries import PAGE_ROWS, Registry, batch_requests, run_registries
from benchmarks.tables import print_table
from benchmarks.words import COMMON_WORDS, RARE_WORDS, WIDE_TAG

FIRST_PORT = 8790
WAYS = ("ours", "raw", "tuned", "drf")
_NAMES = 2000


@dataclass(frozen=True)
class Case:
    """One read of one registry. `base` names the read whose page is the first of the same list."""

    read: str
    requests: dict[str, list[HttpRequest]]
    base: str = ""
    has_writes: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000", help="numbers of assets (default 10000,100000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default 3)")
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds per measurement (default 1)")
    parser.add_argument("--only", default="", help="measure reads whose name contains this text")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    console = Console(stderr=options.markdown)
    rates: dict[tuple[str, int, str], list[float]] = {}
    data_dir = Path(tempfile.mkdtemp(prefix="registry-bench-"))
    with run_registries(sizes, data_dir, first_port=FIRST_PORT, keep=False) as registries, ExitStack() as stack:
        cases = {}
        for registry in registries:
            make_table(registry.database)
            registry.database.execute("VACUUM ANALYZE baseline_asset")
            pin_servers()
            settings = registry.environment | {"DJANGO_SETTINGS_MODULE": "benchmarks.baseline_settings"}
            stack.enter_context(served(settings, baseline_port(registry), "benchmarks.baseline_wsgi"))
            cases[registry.size] = [case for case in make_cases(registry) if options.only in case.read]
        pin_client()
        for registry in registries:
            for case in cases[registry.size]:
                check_equal_work(registry, case)
        slots = [
            (registry, case, way)
            for turn in range(options.rounds)
            for registry in registries
            for case in cases[registry.size]
            for way in (WAYS if turn % 2 == 0 else reversed(WAYS))
        ]
        for registry, case, way in track(slots, "Measuring", console=console, transient=True):
            rate = measure(registry, case, way, seconds=options.seconds)
            rates.setdefault((case.read, registry.size, way), []).append(rate)
    show(console, rates, cases, is_markdown=options.markdown)


def baseline_port(registry: Registry) -> int:
    return registry.port + 100


def make_cases(registry: Registry) -> list[Case]:
    names = registry.names(_NAMES)
    category = {"layer": "C", "category": registry.largest_subcategory("C")[0]}
    details = {way: [HttpRequest(f"{_path(way)}/{quote(name)}") for name in names[:200]] for way in WAYS}
    return [
        Case("detail", details),
        *_list_cases(registry, "list", {}, pages=(20,)),
        *_list_cases(registry, "layer S", {"layer": "S"}),
        *_list_cases(registry, "category", category),
        *_list_cases(registry, "tag of 18 %", {"tags": WIDE_TAG}),
        Case("search, rare word", _searches(RARE_WORDS)),
        Case("search, word in 10 %", _searches(COMMON_WORDS[:1])),
        Case("search, 20 words in 10 %, a write before each", _searches(COMMON_WORDS), has_writes=True),
        Case("batch of 50", {way: batch_requests(f"{_path(way)}/batch", names) for way in WAYS}),
    ]


def _path(way: str) -> str:
    return "/api/assets" if way == "ours" else f"/{way}/assets"


def _searches(words: Sequence[str]) -> dict[str, list[HttpRequest]]:
    return {way: [HttpRequest(f"{_path(way)}?limit={PAGE_ROWS}&search={word}") for word in words] for way in WAYS}


def _list_cases(registry: Registry, title: str, filters: dict[str, str], pages: tuple[int, ...] = ()) -> Iterator[Case]:
    """Yield the first page, the given ones and the last."""
    condition, params = conditions(filters)
    count = f"SELECT count(*) FROM baseline_asset WHERE {condition}"
    total = registry.database.execute(count, params).fetchone()[0]
    for page in (1, *pages, -(-total // PAGE_ROWS)):
        query = filters | {"page": str(page), "limit": str(PAGE_ROWS)}
        urls = {way: f"{_path(way)}?{urlencode(query)}" for way in WAYS}
        if page > 1:
            row_before = (
                f"SELECT created_at, id FROM baseline_asset WHERE {condition}"
                " ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET %s"
            )
            created_at, pk = registry.database.execute(row_before, [*params, (page - 1) * PAGE_ROWS - 1]).fetchone()
            cursor = {"after": f"{created_at.isoformat()}_{pk}"}
            urls["tuned"] = f"{_path('tuned')}?{urlencode(filters | cursor)}"
        label = f"page {page}" if page in (1, *pages) else "last page"
        yield Case(f"{title}, {label}", {way: [HttpRequest(url)] for way, url in urls.items()}, f"{title}, page 1")


def check_equal_work(registry: Registry, case: Case) -> None:
    """Raise RuntimeError if the implementations return different numbers of assets."""
    counts = {}
    for way, requests in case.requests.items():
        port, headers = _server_of(registry, way)
        document = fetch_json(port, requests[0], headers)
        counts[way] = _count_items(document["data"] if way == "ours" else document)
    if len(set(counts.values())) > 1:
        raise RuntimeError(f"{case.read}, {registry.size:,} assets: {counts}")


def _count_items(document: Any) -> int:
    lists = [document] if isinstance(document, list) else [document.get(name) for name in ("items", "results")]
    return next((len(items) for items in lists if isinstance(items, list)), 1)


def _server_of(registry: Registry, way: str) -> tuple[int, list[str]]:
    return (registry.port, registry.api_headers) if way == "ours" else (baseline_port(registry), [])


def measure(registry: Registry, case: Case, way: str, *, seconds: float) -> float:
    """Return requests per second: of four clients, or of one that writes before each read and counts reads only."""
    port, headers = _server_of(registry, way)
    if not case.has_writes:
        return requests_per_second(port, case.requests[way], headers, seconds=seconds)
    names = registry.names(len(case.requests[way]))
    writes = registry.write_by_api(names) if way == "ours" else _write_by_sql(registry, names)
    with connect(port, headers) as send:
        times = [send(request) for request, _ in zip(case.requests[way], writes, strict=True)]
    return 1000 * len(times) / sum(times)


def _write_by_sql(registry: Registry, names: Sequence[str]) -> Iterator[None]:
    for number, name in enumerate(names):
        registry.database.execute(
            "UPDATE baseline_asset SET description = %s WHERE name = %s", [f"Edited, {number}", name]
        )
        yield


def show(
    console: Console,
    rates: dict[tuple[str, int, str], list[float]],
    cases: dict[int, list[Case]],
    *,
    is_markdown: bool,
) -> None:
    """Print requests per second, the ratios to the baselines, to the first page and to the smallest size."""
    smallest = min(cases)
    rows = []
    for read, base in ((case.read, case.base) for case in cases[smallest]):
        for size in cases:
            ours = rates[read, size, "ours"]
            ratios = [_ratio(ours, rates[read, size, way]) for way in WAYS[1:]]
            to_first = _ratio(rates[base, size, "ours"], ours) if base not in ("", read) else ""
            to_smallest = _ratio(rates[read, smallest, "ours"], ours) if size != smallest else ""
            row = [read, f"{size:,}", f"{statistics.median(ours):.0f}", *ratios, to_first, to_smallest]
            rows.append(row)
    header = ["read", "assets", "ours/s", *(f"ours : {way}" for way in WAYS[1:])]
    header += ["time : first page", f"time : {smallest:,} assets"]
    print_table(console, header, rows, is_markdown=is_markdown)


def _ratio(one: Sequence[float], other: Sequence[float]) -> str:
    ratio = statistics.median(a / b for a, b in zip(one, other, strict=True))
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


if __name__ == "__main__":
    main()
