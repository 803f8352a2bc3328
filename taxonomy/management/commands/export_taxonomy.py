"""Write the taxonomy as a document."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from taxonomy.sync import export_document


class Command(BaseCommand):
    help = "Write the current taxonomy; importing the file again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", default="-", help="Where to; standard output if left out.")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        if file == "-":
            sys.stdout.buffer.write(export_document())
        else:
            Path(file).write_bytes(export_document())
