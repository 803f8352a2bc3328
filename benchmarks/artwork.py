"""Pictures of 500 and 150 pixels from one cover: ours against libvips and plain Pillow, each in a process of its own.

Figures are pictures per second of CPU time, best of the rounds, in which the techniques take turns; the most memory a
process ever held; and how near the 500 comes to that of plain Pillow, which resamples every pixel.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageChops, ImageStat
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.rendering import QUALITY, SIDES_PX
from benchmarks.rendering.ours import draw
from benchmarks.sample_images import draw_cover, encode_cover
from imaging.renditions import RenderSpec
from imaging.sandbox import render_in_sandbox
from imaging.structure import ImageLimits, inspect, strip_metadata

COVERS = [(image_format, side) for image_format in ("JPEG", "PNG") for side in (1400, 3000)]
MIB = 1024 * 1024


def check_only(content: bytes) -> bytes:
    limits = ImageLimits()
    return strip_metadata(content, inspect(content, limits=limits), limits=limits) or b""


def draw_in_the_child(content: bytes) -> bytes:
    return render_in_sandbox(content, RenderSpec(sides_px=SIDES_PX, quality=QUALITY)).renditions[0].content


OURS, PLAIN = "ours", "pillow_per_size"
WAYS = [OURS, "vips_per_size", "vips_cascade", PLAIN]


def measure(way: str, source: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.rendering.measuring", way, str(source), str(_result(way, source))]
    one_thread = {**os.environ, "VIPS_CONCURRENCY": "1"}
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=one_thread).stdout)


def _result(way: str, source: Path) -> Path:
    return source.with_suffix(f".{way}.jpg")


def psnr(one: Path, other: Path) -> float:
    pictures = [Image.open(path).convert("RGB") for path in (one, other)]
    squares = ImageStat.Stat(ImageChops.difference(*pictures)).sum2
    mean = sum(squares) / (3 * pictures[0].width * pictures[0].height)
    return 10 * math.log10(255**2 / mean) if mean else math.inf


def mean_milliseconds(work: Callable[[bytes], bytes], content: bytes, *, rounds: int = 10) -> float:
    work(content)
    started = time.perf_counter()
    for _ in range(rounds):
        work(content)
    return (time.perf_counter() - started) / rounds * 1000


def run(rounds: int) -> None:
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        for image_format, side in COVERS:
            source = Path(folder, f"{side}.{image_format.lower()}")
            source.write_bytes(encode_cover(draw_cover(side), image_format))
            content = source.read_bytes()
            found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
            for _ in track(range(rounds), f"{side} {image_format}", console=console, transient=True):
                for way in WAYS:
                    found[way].append(measure(way, source))
            console.print(_table(f"{image_format} of {side} px, {len(content) / MIB:.1f} MiB", found, source))
            times = [f"{mean_milliseconds(work, content):.1f}" for work in (check_only, draw, draw_in_the_child)]
            console.print("inspect and strip {} ms; drawing {} ms by wall clock, in the child {} ms\n".format(*times))


def _table(title: str, found: dict[str, list[dict[str, float]]], source: Path) -> Table:
    table = Table(title=title)
    for column in ("way", "pictures/s of CPU", "ours : it", "peak MiB", "ours : it (memory)", "PSNR of the 500"):
        table.add_column(column, justify="left" if column == "way" else "right")
    seconds = {way: min(one["seconds"] for one in rounds) for way, rounds in found.items()}
    peaks = {way: min(one["peak_mib"] for one in rounds) for way, rounds in found.items()}
    for way in found:
        likeness = psnr(_result(way, source), _result(PLAIN, source))
        table.add_row(
            way,
            f"{1 / seconds[way]:.1f}",
            f"{seconds[way] / seconds[OURS]:.2f}",
            f"{peaks[way]:.0f}",
            f"{peaks[OURS] / peaks[way]:.2f}",
            f"{likeness:.1f}" if math.isfinite(likeness) else "same",
        )
    return table


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=3)
    run(options.parse_args().rounds)


if __name__ == "__main__":
    main()
