"""Bug reports: what scrubbing and a screenshot cost at intake, what scrubbing takes, how the pages grow with the rows.

In one process, over a throw-away PostgreSQL. What is compared takes turns within a round; figures are medians.
"""

import argparse
import base64
import copy
import io
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
from PIL import Image
from rich.console import Console

from devstack.embedded import ensure

SIZES = (1_000, 100_000)
_PAGES = {"list of 50": "", "untriaged": "?queue=untriaged", "search": "?q=number+777", "one report": "detail"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=40, help="of each page in a round")
    options = parser.parse_args()
    addresses = ensure(Path(tempfile.mkdtemp(prefix="registry-bench-")), ephemeral=True)
    media = tempfile.mkdtemp(prefix="registry-bench-media-")
    os.environ |= addresses | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings", "MEDIA_ROOT": media, "PRIVATE_MEDIA_ROOT": media,
        "LOG_LEVEL": "CRITICAL",
    }  # fmt: skip
    django.setup()
    console = Console(highlight=False)
    from benchmarks.bug_report_rows import fill, intake_ways, open_page, scrub_once, use_database

    use_database("bench_intake")
    document = make_document()
    ways = intake_ways(document)
    show_intake(
        console, alternate({name: lambda way=way: timed(way, 12) / 12 for name, way in ways.items()}, options.rounds)
    )
    del document["screenshot"]
    size_kb = len(str(document)) / 1000
    each = statistics.median(timed(lambda: scrub_once(document), 1) for _ in range(4 * options.rounds))
    console.print(
        f"scrubbing: {each * 1000:.1f} ms for {size_kb:.0f} KB of context, {each * 100_000 / size_kb:.1f} ms per 100 KB"
    )
    for size in SIZES:
        use_database(f"bench_{size}")
        fill(size)
    for title, query in _PAGES.items():
        spent: dict[int, list[float]] = {size: [] for size in SIZES}
        for _ in range(options.rounds):
            for size in SIZES:
                use_database(f"bench_{size}")
                ask = open_page(query)
                ask()
                spent[size] += [timed(ask, 1) for _ in range(options.requests)]
        p95 = {size: statistics.quantiles(times, n=20)[18] for size, times in spent.items()}
        console.print(
            f"admin, {title}: p95 {p95[SIZES[0]] * 1000:.0f} ms at {SIZES[0]:,}, {p95[SIZES[1]] * 1000:.0f} ms at"
            f" {SIZES[1]:,}: {p95[SIZES[1]] / p95[SIZES[0]]:.2f} x"
        )


def timed(work: Callable[[], Any], times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - started


def alternate(ways: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Seconds each, medians over rounds in which every way has its turn."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            spent[name].append(way())
    return {name: statistics.median(times) for name, times in spent.items()}


def show_intake(console: Console, seconds: dict[str, float]) -> None:
    bare = seconds["same rows, no scrubbing, no screenshot"]
    for name, each in seconds.items():
        console.print(f"intake, {name}: {1 / each:.1f}/s, {bare / each:.2f} of the bare insert, {each * 1000:.1f} ms")


def make_document() -> dict[str, Any]:
    """About 100 KB of logs and requests as a frontend sends them, some secrets among them, and a screenshot."""
    rng = random.Random(5)
    words = ["loaded", "asset", "shelf", "world", "star", "render", "cache", "request", "retry", "album", "layer"]

    def sentence(count: int) -> str:
        return " ".join(rng.choice(words) for _ in range(count))

    logs = [
        {"level": rng.choice(["info", "warn", "debug"]), "message": sentence(12), "args": [sentence(3)],
         "timestamp": f"2026-02-12T13:05:{n % 60:02}.000Z", "serializedArgs": [{"id": n, "text": sentence(10)}]}
        for n in range(200)
    ]  # fmt: skip
    body = '{"items":[' + ",".join(f'{{"id":{n},"name":"{sentence(4)}"}}' for n in range(12)) + '],"api_key":"k-123"}'
    event = {
        "id": "e", "method": "GET", "url": "https://studio.example/api/assets?page=2&access_token=abc123def",
        "started_at": "2026-02-12T13:05:06.900Z", "status": 200, "ok": True, "duration_ms": 31,
        "responseBody": body, "requestBody": None,
        "requestHeaders": [
            {"name": "Authorization", "value": "Bearer abc.def.ghi123"}, {"name": "Accept", "value": "*/*"},
        ],
        "responseHeaders": [{"name": "content-type", "value": "application/json"}],
    }  # fmt: skip
    return {
        "description": "The shelf stays empty", "environment": {"mode": "production"}, "appState": {"tab": "shelf"},
        "clientMeta": {"locationHref": "https://studio.example/shelf"}, "recentLogs": logs,
        "networkEvents": [copy.deepcopy(event) | {"id": str(n)} for n in range(50)], "screenshot": make_screenshot(),
    }  # fmt: skip


def make_screenshot() -> str:
    """Half a screen, as pages look: flat areas and lines."""
    picture = Image.effect_noise((720, 450), 12).convert("RGB").quantize(24).convert("RGB")
    content = io.BytesIO()
    picture.save(content, "PNG")
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"


if __name__ == "__main__":
    main()
