"""One way to draw, in a process that does nothing else. A program: name of the way, cover, where the 500 shall go."""

import importlib
import json
import math
import resource
import sys
import time
from pathlib import Path

_MEASURED_SECONDS = 1.5
_MIB = 1024 * 1024


def main() -> None:
    way, source, result = sys.argv[1:]
    draw = importlib.import_module(f"benchmarks.rendering.{way}").draw
    content = Path(source).read_bytes()
    Path(result).write_bytes(draw(content))
    best, until = math.inf, time.monotonic() + _MEASURED_SECONDS
    while time.monotonic() < until:
        started = _cpu_seconds()
        draw(content)
        best = min(best, _cpu_seconds() - started)
    print(json.dumps({"seconds": best, "peak_mib": _peak_bytes() / _MIB}))


def _cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _peak_bytes() -> int:
    """Linux hands down ru_maxrss from the process that started us; VmHWM is ours alone."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
