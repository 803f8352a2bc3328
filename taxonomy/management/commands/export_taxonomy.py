"""Export the taxonomy as a document."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.errors import RegistryError
from taxonomy.sync import export_document


class Command(BaseCommand):
    help = "Export the current taxonomy as a JSON document that import_taxonomy accepts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", default="-", help="Output file (default: standard output).")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        try:
            content = export_document()
            if file == "-":
                sys.stdout.buffer.write(content)
            else:
                Path(file).write_bytes(content)
        except OSError as error:
            raise CommandError(f"cannot write {file}: {error.strerror}") from error
        except RegistryError as error:
            raise CommandError(error.message) from error
