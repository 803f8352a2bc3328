"""What each kind of request gets, and how fast, before, during and after outages of PostgreSQL and Valkey.

    python -m benchmarks.outage [--seconds 60] [--web-workers 2]

Over servers of its own, with web, worker and beat. A freeze stops all processes of a server with SIGSTOP; a kill ends
them with SIGKILL, and the daemon of the servers starts them again. During a freeze the kinds take turns: the first
request after the begin, whose kind changes with each outage, is the one that waits.
"""

import argparse
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from tests.support.frozen_servers import frozen, kill, postgres_processes, valkey_processes
from tests.support.outage_stack import KINDS, OutageStack, started_stack

_print = Console(highlight=False, width=150).print
Processes = Callable[[Path], list[int]]
PORT = 18_765
PAUSE_SECONDS = 0.05
COMPARED = ("list", "detail", "search", "create", "edit", "bug report")
TURNS = 12  # of each side of a round
SERVERS: dict[str, tuple[Processes, ...]] = {
    "PostgreSQL": (postgres_processes,),
    "Valkey": (valkey_processes,),
    "both": (postgres_processes, valkey_processes),
}


@dataclass
class Phase:
    """The requests of one phase of an outage: statuses and durations by kind."""

    statuses: dict[str, Counter[str]] = field(default_factory=lambda: {kind: Counter() for kind in KINDS})
    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    def show(self, kind: str) -> str:
        statuses = ", ".join(f"{status} x{count}" for status, count in sorted(self.statuses[kind].items()))
        durations = [second * 1000 for second in self.seconds[kind]]
        return f"{statuses}; {statistics.median(durations):.0f} / {max(durations):.0f} ms"


def send_in_turns(stack: OutageStack, phase: Phase, *, seconds: float, first: int = 0) -> None:
    """Send all kinds in turns for `seconds`, at least once, beginning with the kind number `first`."""
    end = time.monotonic() + seconds
    while True:
        for number in range(len(KINDS)):
            kind = KINDS[(first + number) % len(KINDS)]
            reply = stack.send(kind)
            status = str(reply.status)
            if kind == "health":
                config = reply.json()["config"]
                down = [name for name in ("database", "cache") if not config[name]["connected"]]
                status += f" ({' and '.join(down)} down)" if down else ""
            phase.statuses[kind][status] += 1
            phase.seconds[kind].append(reply.seconds)
            time.sleep(PAUSE_SECONDS)
        if time.monotonic() > end:
            return


@contextmanager
def outage(stack: OutageStack, action: str, server: str) -> Iterator[None]:
    processes = [find(stack.data_dir) for find in SERVERS[server]]
    if action == "killed":
        for group in processes:
            kill(group)
        yield
        return
    with ExitStack() as freezes:
        for group in processes:
            freezes.enter_context(frozen(group))
        yield


def seconds_until_all_work(stack: OutageStack) -> float:
    started = time.monotonic()
    while any(stack.send(kind).status >= 500 for kind in KINDS) or not _is_healthy(stack):
        time.sleep(0.1)
    return time.monotonic() - started


def _is_healthy(stack: OutageStack) -> bool:
    config = stack.send("health").json()["config"]
    return bool(config["database"]["connected"] and config["cache"]["connected"])


def measure(stack: OutageStack, action: str, server: str, *, seconds: float, first: int) -> None:
    before, during, after = Phase(), Phase(), Phase()
    send_in_turns(stack, before, seconds=10)
    with outage(stack, action, server):
        send_in_turns(stack, during, seconds=seconds, first=first)
    recovered = seconds_until_all_work(stack)
    send_in_turns(stack, after, seconds=10)
    table = Table("request", "before", "during", "after", box=MARKDOWN)
    for kind in KINDS:
        table.add_row(kind, before.show(kind), during.show(kind), after.show(kind))
    _print(f"\n**{server} {action}**, first request: {KINDS[first]}; all kinds work {recovered:.1f} s after its end.\n")
    _print(table)


def compare_with_frozen_valkey(stack: OutageStack, rounds: int) -> None:
    """Alternate between a running and a frozen Valkey, without the first turn after each change."""
    running: dict[str, list[float]] = {kind: [] for kind in COMPARED}
    during_freeze: dict[str, list[float]] = {kind: [] for kind in COMPARED}
    for _ in range(rounds):
        _time_turns(stack, running)
        with frozen(valkey_processes(stack.data_dir)):
            _time_turns(stack, during_freeze)
        seconds_until_all_work(stack)
    table = Table("request", "Valkey runs", "Valkey frozen", "ratio", box=MARKDOWN)
    for kind in COMPARED:
        normal, slow = statistics.median(running[kind]) * 1000, statistics.median(during_freeze[kind]) * 1000
        table.add_row(kind, f"{normal:.1f} ms", f"{slow:.1f} ms", f"{slow / normal:.2f}")
    _print(f"\nMedians of {rounds} rounds in turns, after the first slow call of each process:\n")
    _print(table)


def _time_turns(stack: OutageStack, durations: dict[str, list[float]]) -> None:
    for turn in range(TURNS):
        for kind in COMPARED:
            reply = stack.send(kind)
            if turn >= TURNS // 4:
                durations[kind].append(reply.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of each freeze")
    parser.add_argument("--web-workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=6, help="of the comparison with a frozen Valkey")
    options = parser.parse_args()
    _print("Each cell: statuses; median / maximum of the durations.")
    with (
        tempfile.TemporaryDirectory(prefix="registry-outage-") as folder,
        started_stack(Path(folder), port=PORT, web_workers=options.web_workers, with_worker=True) as stack,
    ):
        send_in_turns(stack, Phase(), seconds=5)  # each process has loaded its code and its connections
        outages = [("frozen", "PostgreSQL", 1), ("frozen", "Valkey", 0), ("frozen", "both", 0)]
        outages += [("killed", "PostgreSQL", 2), ("killed", "Valkey", 6), ("killed", "both", 4)]
        for action, server, first in outages:
            seconds = options.seconds if action == "frozen" else 5
            measure(stack, action, server, seconds=seconds, first=first)
        compare_with_frozen_valkey(stack, options.rounds)


if __name__ == "__main__":
    main()
