"""Pictures from request to stored, end to end: a source on loopback, a real queue, one worker and then two.

    python -m benchmarks.pipeline [--pictures 120]

Each round asks for the same number of covers of 1200 pixels and waits until all are stored. A picture's time is from
its row being written to its being stored, waiting in the queue included; `alone` asks for one at a time.
"""

import argparse
import contextlib
import http.server
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.sample_images import draw_cover, encode_cover
from devstack.embedded import ensure

_SIDE_PX = 1200
_PREPARE = """
import time
from django.utils import timezone
from albumart.models import Artwork, ArtworkSource
from albumart.queueing import request_artwork
from assets.demo import load_demo
from assets.models import Asset
from flags.editing import turn_on_for_everyone
from taxonomy.sync import install_starter_taxonomy
if not Asset.objects.exists():
    install_starter_taxonomy(now=timezone.now())
    load_demo(asset_count=40000, now=timezone.now())
    turn_on_for_everyone(["album_art_pipeline"], by=None, reason="benchmark", now=timezone.now())
ArtworkSource.objects.update_or_create(pattern="127.0.0.1", defaults={"requests_per_minute": 6000})
songs = list(Asset.objects.filter(layer="G", artworks=None).order_by("pk")[:COUNT])
began = time.time()
for number, song in enumerate(songs):
    request_artwork(song, source_url=f"URL/{number}.jpg", trigger="client", by="benchmark", now=timezone.now())
    while ALONE and Artwork.objects.open().exists():
        time.sleep(0.002)
while Artwork.objects.open().exists():
    time.sleep(0.02)
took = time.time() - began
rows = Artwork.objects.filter(asset__in=songs).values_list("requested_at", "finished_at", "status")
import json
print(json.dumps({"took": took, "stored": sum(s == "stored" for *_, s in rows),
                  "seconds": [(b - a).total_seconds() for a, b, _ in rows]}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=120)
    count = parser.parse_args().pictures
    table = Table("workers", "asked for", "pictures/s", "against one", "request to stored, median", "95 %")
    with _source() as url, tempfile.TemporaryDirectory() as folder:
        environment = os.environ | ensure(Path(folder) / "servers", ephemeral=True)
        environment |= {
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "MEDIA_ROOT": f"{folder}/media",
            "OUTBOUND_ALLOW_LOOPBACK": "1",
            "OUTBOUND_ALLOW_HTTP": "1",
            "OUTBOUND_ALLOWED_PORTS": url.rpartition(":")[2],
            "LOG_LEVEL": "WARNING",
            "PYTHONWARNINGS": "ignore",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environment, check=True)
        one = 0.0
        for workers, is_alone in ((1, True), (1, False), (2, False)):
            with _worker(environment, workers):
                _ask(environment, url, workers, is_alone=False)  # each worker has its child and its connections
                metrics = _ask(environment, url, count // 4 if is_alone else count, is_alone=is_alone)
            rate = metrics["stored"] / metrics["took"]
            one = one or (0.0 if is_alone else rate)
            times = sorted(metrics["seconds"])
            table.add_row(
                str(workers), "one at a time" if is_alone else f"{count} at once", f"{rate:.1f}",
                f"{rate / one:.2f} x" if one else "", f"{statistics.median(times) * 1000:.0f} ms",
                f"{times[int(len(times) * 0.95)] * 1000:.0f} ms",
            )  # fmt: skip
    Console().print(table)


def _ask(environment: dict[str, str], url: str, count: int, *, is_alone: bool) -> dict:
    script = _PREPARE.replace("COUNT", str(count)).replace("URL", url).replace("ALONE", str(is_alone))
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", script]
    answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=600)
    return json.loads(answer.stdout.splitlines()[-1])


@contextlib.contextmanager
def _worker(environment: dict[str, str], processes: int) -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "--app", "config", "--quiet", "worker", "--concurrency", str(processes)]
    worker = subprocess.Popen([*command, "--without-mingle", "--without-gossip"], env=environment)
    try:
        yield
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)


@contextlib.contextmanager
def _source() -> Iterator[str]:
    """Gives one of four covers to whatever address is asked."""
    cover = encode_cover(draw_cover(_SIDE_PX), "JPEG")
    covers = [encode_cover(draw_cover(_SIDE_PX).point(lambda v, n=n: v ^ n), "JPEG") for n in (1, 2, 3)]

    class Source(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = [cover, *covers][int(self.path.strip("/").partition(".")[0]) % 4]
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing: the benchmark's own figures are what is printed."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Source) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


if __name__ == "__main__":
    main()
