"""Bring the legacy registry over from its export."""

import gzip
import io
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from assets.legacy_export_parser import iter_documents
from assets.legacy_import import ImportReport, import_registry
from taxonomy.snapshot_cache import current_taxonomy

_CHUNK_CHARS = 256 * 1024


class Command(BaseCommand):
    help = "Import the legacy database's export (Extended JSON, lines or an array, plain or gzipped). Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--dry-run", action="store_true", help="Try everything, keep nothing.")

    def handle(self, *args: Any, file: str, dry_run: bool, **options: Any) -> None:
        directory = current_taxonomy()
        if not directory.version_pk:
            raise CommandError("There is no taxonomy yet: run import_taxonomy first")
        path = Path(file)
        try:
            size = path.stat().st_size
            with path.open("rb") as raw, self._progress() as progress:
                bar = progress.add_task("0 rows", total=size)
                done = 0

                def show(rows: int) -> None:
                    nonlocal done
                    done += rows
                    progress.update(bar, completed=raw.tell(), description=f"{done:,} rows")

                account = import_registry(
                    iter_documents(_read_text(raw)), directory=directory, dry_run=dry_run, on_progress=show
                )
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise CommandError(f"cannot read {file}: {error}") from error
        self._print(account, dry_run=dry_run)
        if not account.is_balanced():
            raise CommandError("The account does not add up: this is a defect, please report it")

    def _progress(self) -> Progress:
        columns = (TextColumn("{task.description:>12}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        return Progress(*columns, transient=True)

    def _print(self, account: ImportReport, *, dry_run: bool) -> None:
        for position, name, text in sorted(account.rejected):
            self.stdout.write(self.style.ERROR(f"rejected  row {position} {name}: {text}"))
        for position, name, text in sorted(account.warnings):
            self.stdout.write(self.style.WARNING(f"odd       row {position} {name}: {text}"))
        for text, count in sorted(account.normalised.items()):
            self.stdout.write(f"tidied    {count} rows: {text}")
        layers = ", ".join(f"{layer} {count}" for layer, count in account.by_layer.most_common())
        self.stdout.write(f"{'Dry run: ' if dry_run else ''}layers: {layers or 'none'}")
        self.stdout.write(
            f"{account.read} read = {account.created} created + {account.updated} updated"
            f" + {account.unchanged} unchanged + {len(account.rejected)} rejected"
        )


def _read_text(raw: IO[bytes]) -> Iterator[str]:
    start = raw.read(2)
    raw.seek(0)
    stream: Any = gzip.GzipFile(fileobj=raw) if start == b"\x1f\x8b" else raw
    text = io.TextIOWrapper(stream, encoding="utf-8")
    while chunk := text.read(_CHUNK_CHARS):
        yield chunk
    text.detach()
