"""Check sequence counters against the assets."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from assets.consistency import check_consistency, repair_counters
from taxonomy.snapshot_cache import current_taxonomy


class Command(BaseCommand):
    help = "Find counters, counts and addresses that no longer agree with the assets; --repair puts counters right."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="Raise counters and correct counts, under lock.")

    def handle(self, *args: Any, repair: bool, **options: Any) -> None:
        if repair:
            self.stdout.write(f"{repair_counters()} counters repaired.")
        drift = check_consistency(current_taxonomy())
        for line in drift.lines():
            self.stdout.write(self.style.WARNING(line))
        if drift:
            raise CommandError(f"{len(drift.lines())} findings." + ("" if repair else " --repair mends counters."))
        self.stdout.write("Counters, counts and addresses agree.")
