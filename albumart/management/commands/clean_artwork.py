"""Command line of `albumart.storage_cleanup`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from albumart.models import Artwork
from albumart.storage_cleanup import reconcile_files

_MAX_SHOWN = 20


class Command(BaseCommand):
    help = "List artwork files without a row and rows without a file. Delete files without a row after a grace period."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Delete nothing.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        report = reconcile_files(timezone.now(), is_dry_run=dry_run)
        self.stdout.write(
            f"{report.checked} files: {len(report.orphans)} without a row, {report.deleted} of them deleted,"
            f" {report.recent_orphans} without a row but too recent to delete."
            f" {len(report.missing)} requests without a file."
        )
        for key in report.orphans[:_MAX_SHOWN]:
            self.stdout.write(f"  no row: {key}")
        names = dict(Artwork.objects.filter(pk__in=report.missing).values_list("pk", "asset__name"))
        for pk, keys in list(report.missing.items())[:_MAX_SHOWN]:
            text = f"  {names.get(pk)} (request {pk}) has no file {', '.join(keys)}; refetch it"
            self.stdout.write(self.style.WARNING(text))
        if report.is_incomplete:
            self.stdout.write(
                "Some files were not deleted, because a worker was storing artwork. Run the command again."
            )
