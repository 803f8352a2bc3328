"""Check the taxonomy."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from taxonomy.consistency import find_errors, find_warnings


class Command(BaseCommand):
    help = "Check that tables, newest version and address conversion agree; fail with all errors."

    def handle(self, *args: Any, **options: Any) -> None:
        for warning in find_warnings():
            self.stdout.write(f"warning: {warning}")
        errors = find_errors()
        if errors:
            raise CommandError("\n".join(errors))
        self.stdout.write("The taxonomy is consistent.")
