"""Stands in the way of waffle's own `waffle_flag`, which edits flags past the record of changes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Not available here: use `flags`, which records who changed what and why."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError("Use `manage.py flags` instead: it records who changed what and why")
