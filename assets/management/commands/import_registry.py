"""Import the export of the legacy registry."""

import gzip
import io
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from assets.import_report import ImportReport, MessageFile
from assets.legacy_export_parser import iter_documents
from assets.legacy_import import import_registry
from common.progress_bar import file_progress_bar
from taxonomy.snapshot_cache import current_taxonomy

_CHUNK_CHARS = 256 * 1024


class Command(BaseCommand):
    help = "Import the export of the legacy database (Extended JSON, lines or an array, plain or gzip). Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="Path of the export.")
        parser.add_argument("--dry-run", action="store_true", help="Check and write all rows, then roll back.")

    def handle(self, *args: Any, file: str, dry_run: bool, **options: Any) -> None:
        taxonomy = current_taxonomy()
        if not taxonomy.version_pk:
            raise CommandError("The registry has no taxonomy. Run import_taxonomy first.")
        report = ImportReport(rejected=MessageFile(), warnings=MessageFile())
        try:
            with Path(file).open("rb") as raw, file_progress_bar("rows", raw) as on_progress:
                import_registry(
                    iter_documents(_read_text(raw)), taxonomy=taxonomy, dry_run=dry_run, on_progress=on_progress,
                    report=report,
                )  # fmt: skip
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise CommandError(f"Cannot read {file}: {error}") from error
        self._print(report, dry_run=dry_run)
        if not report.is_balanced():
            raise CommandError("The counts do not add up. This is a bug: please report it.")

    def _print(self, report: ImportReport, *, dry_run: bool) -> None:
        for position, name, text in report.rejected:
            self.stdout.write(self.style.ERROR(f"rejected  row {position} {name}: {text}"))
        for position, name, text in report.warnings:
            self.stdout.write(self.style.WARNING(f"warning   row {position} {name}: {text}"))
        for text, count in sorted(report.normalized.items()):
            self.stdout.write(f"normalized {count} rows: {text}")
        layers = ", ".join(f"{layer} {count}" for layer, count in report.by_layer.most_common())
        self.stdout.write(f"{'Dry run: ' if dry_run else ''}layers: {layers or 'none'}")
        self.stdout.write(
            f"{report.read} read = {report.created} created + {report.updated} updated"
            f" + {report.unchanged} unchanged + {len(report.rejected)} rejected"
        )


def _read_text(raw: IO[bytes]) -> Iterator[str]:
    start = raw.read(2)
    raw.seek(0)
    stream: Any = gzip.GzipFile(fileobj=raw) if start == b"\x1f\x8b" else raw
    text = io.TextIOWrapper(stream, encoding="utf-8")
    while chunk := text.read(_CHUNK_CHARS):
        yield chunk
    text.detach()
