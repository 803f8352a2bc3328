"""Replace the taxonomy with a document."""

import sys
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.errors import RegistryError
from taxonomy.sync import import_document


class Command(BaseCommand):
    help = "Replace the taxonomy with a JSON document. Validate the whole document first and list all errors."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help='A JSON file {"version", "layers": [...]}, or - for standard input.')
        parser.add_argument("--dry-run", action="store_true", help="Report the changes without making them.")

    def handle(self, *args: Any, file: str, dry_run: bool, **options: Any) -> None:
        try:
            with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as source:
                content = source.read(settings.TAXONOMY_MAX_DOCUMENT_BYTES + 1)
        except OSError as error:
            raise CommandError(f"cannot read {file}: {error.strerror}") from error
        if len(content) > settings.TAXONOMY_MAX_DOCUMENT_BYTES:
            raise CommandError(f"{file} is larger than {settings.TAXONOMY_MAX_DOCUMENT_BYTES} bytes")
        try:
            result = import_document(orjson.loads(content), by=None, now=timezone.now(), dry_run=dry_run)
        except orjson.JSONDecodeError as error:
            raise CommandError(f"{file} is not JSON: {error}") from error
        except RegistryError as error:
            raise CommandError(
                "\n".join([error.message, *(f"  {detail.message}" for detail in error.field_errors)])
            ) from error
        if not result.is_changed:
            self.stdout.write(f"Nothing to do: version {result.version} is the current one.")
            return
        counts = ", ".join(f"{result.count(kind)} {kind}" for kind in ("added", "modified", "removed"))
        self.stdout.write(f"{'Would become' if dry_run else 'Now'} version {result.version}: {counts}.")
