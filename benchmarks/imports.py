"""The import of a legacy export against a plain COPY of the same rows into the same table, with all its indexes.

Each measurement has a fresh database with the starter taxonomy. CPU time is that of the importing process and of all
PostgreSQL processes; memory is the peak of the importing process.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.environment import drop_database, environment_of, host_of, make_database, manage, python
from devstack.embedded import ensure

TEMPLATE = "bench_imports"
_WORDS = (
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbor", "island", "juniper", "kelp", "lagoon",
    "meadow", "nectar", "orchid", "prairie",
)  # fmt: skip
_TICKS = os.sysconf("SC_CLK_TCK")
_NODES = """
from taxonomy.snapshot_cache import current_taxonomy
for node in current_taxonomy().nodes():
    print(node.layer, node.category_code, node.code, node.category_number, node.number, sep="|")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    options = parser.parse_args()
    addresses = ensure(Path(tempfile.mkdtemp(prefix="registry-bench-")), ephemeral=True)
    make_database(addresses, TEMPLATE)
    environment = environment_of(addresses, TEMPLATE)
    manage(environment, "migrate", "-v0")
    python(
        environment,
        "from django.utils import timezone\nfrom taxonomy.sync import install_starter_taxonomy\n"
        "install_starter_taxonomy(now=timezone.now())",
    )
    nodes = [line.split("|") for line in python(environment, _NODES).split() if line.count("|") == 4]
    table = Table("way", "rows", "rows/s", "CPU s per 10,000 rows", "ratio to COPY", "peak MiB")
    for rows in options.sizes:
        export = Path(tempfile.mkstemp(prefix="registry-bench-export-")[1])
        with export.open("w") as file:
            file.writelines(json.dumps(document) + "\n" for document in _documents(rows, nodes))
        make_database(addresses, "bench_import", template=TEMPLATE)
        make_database(addresses, "bench_copy", template=TEMPLATE)
        command = [sys.executable, "manage.py", "import_registry", str(export)]
        imported = _measure(addresses, command, environment_of(addresses, "bench_import"))
        copied = _measure(addresses, [sys.executable, "-m", __spec__.name, "--copy", host_of(addresses)], os.environ)
        for way, (seconds, cpu, peak) in (("COPY", copied), ("import_registry", imported)):
            cells = f"{rows / seconds:,.0f}", f"{cpu * 10_000 / rows:.2f}", f"{cpu / copied[1]:.2f}", f"{peak:,.0f}"
            table.add_row(way, f"{rows:,}", *cells)
        drop_database(addresses, "bench_import")
        drop_database(addresses, "bench_copy")
        export.unlink()
    Console().print(table)


def _documents(rows: int, nodes: list[list[str]]) -> Iterator[dict[str, object]]:
    for position in range(rows):
        layer, category, code, category_number, number = nodes[position % len(nodes)]
        sequence = position // len(nodes) + 1
        name = f"{layer}.{category}.{code}.{sequence:03d}"
        words = [_WORDS[position * step % len(_WORDS)] for step in range(3, 25)]
        date = {"$date": f"2024-{position % 12 + 1:02d}-{position % 28 + 1:02d}T10:00:00.000Z"}
        yield {
            "_id": {"$oid": f"{position + 1:024x}"}, "layer": layer, "category": category, "subcategory": code,
            "name": name, "nna_address": f"{layer}.{int(category_number):03d}.{int(number):03d}.{sequence:03d}",
            "gcpStorageUrl": f"https://media.example/{name}.mp4", "source": "ReViz", "tags": words[:5],
            "description": " ".join([*words, f"take {position}"]), "trainingData": {"prompts": words[:3]},
            "rights": {"source": "Original"}, "components": [], "registeredBy": f"user-{position % 7}@studio.example",
            "createdAt": date, "updatedAt": date, "__v": 0,
        }  # fmt: skip


def _measure(addresses: dict[str, str], command: list[str], environment: object) -> tuple[float, float, float]:
    """Return seconds, CPU seconds and peak MiB."""
    pid, before, began = _postmaster(addresses), _postgres_cpu(_postmaster(addresses)), time.perf_counter()
    process = subprocess.Popen(command, env=dict(environment), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise RuntimeError(f"{command[2:4]} failed")
    cpu = usage.ru_utime + usage.ru_stime + _postgres_cpu(pid) - before
    return seconds, cpu, usage.ru_maxrss / 1024


def _postmaster(addresses: dict[str, str]) -> int:
    with psycopg.connect(host=host_of(addresses), user="postgres", dbname="postgres") as link:
        directory = link.execute("SHOW data_directory").fetchone()[0]
    return int(Path(directory, "postmaster.pid").read_text().split()[0])


def _postgres_cpu(postmaster: int) -> float:
    """Return the CPU seconds of all processes of the server, also of those that have ended."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # the process has ended
            continue
        if int(stat.parent.name) == postmaster:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == postmaster:
            ticks += sum(map(int, fields[11:13]))
    return ticks / _TICKS


def _copy_rows(host: str) -> None:
    """Copy the imported assets and history from one database into the other."""
    with (
        psycopg.connect(host=host, user="postgres", dbname="bench_import") as source,
        psycopg.connect(host=host, user="postgres", dbname="bench_copy") as target,
    ):
        for table in ("assets_asset", "assets_historicalasset"):
            columns = source.execute(
                "SELECT string_agg(attname, ',') FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
                " AND NOT attisdropped AND attgenerated = ''",
                [table],
            ).fetchone()[0]
            with (
                source.cursor().copy(f"COPY {table} ({columns}) TO STDOUT") as reading,
                target.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as writing,
            ):
                for chunk in reading:
                    writing.write(chunk)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--copy"]:
        _copy_rows(sys.argv[2])
    else:
        main()
