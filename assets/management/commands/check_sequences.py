"""Check sequence counters, counts and addresses."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from assets.consistency import check_consistency, repair_counters
from taxonomy.snapshot_cache import current_taxonomy


class Command(BaseCommand):
    help = "Find counters, counts and addresses that do not agree with the assets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--repair", action="store_true", help="Raise counters that are behind and correct counts, under a lock."
        )

    def handle(self, *args: Any, repair: bool, **options: Any) -> None:
        if repair:
            self.stdout.write(f"{repair_counters()} counters repaired.")
        report = check_consistency(current_taxonomy())
        for line in report.lines():
            self.stdout.write(self.style.WARNING(line))
        if report:
            raise CommandError(
                f"{len(report.lines())} findings." + ("" if repair else " Run with --repair to correct counters.")
            )
        self.stdout.write("Counters, counts and addresses agree.")
