"""Check the taxonomy."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from taxonomy.consistency import find_errors, find_warnings


class Command(BaseCommand):
    help = "Check tables, version and address conversion against each other; fails when something is wrong."

    def handle(self, *args: Any, **options: Any) -> None:
        for warning in find_warnings():
            self.stdout.write(f"warning: {warning}")
        problems = find_errors()
        if problems:
            raise CommandError("\n".join(problems))
        self.stdout.write("The taxonomy is consistent.")
