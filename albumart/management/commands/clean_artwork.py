"""Compare stored pictures and rows."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from albumart.models import Artwork
from albumart.storage_cleanup import reconcile_files

_SHOWN = 20


class Command(BaseCommand):
    help = "List files no row names and rows whose file is gone; delete such files when they are old enough."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="List only.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        account = reconcile_files(timezone.now(), is_dry_run=dry_run)
        self.stdout.write(
            f"{account.looked_at} files: {len(account.orphans)} without a row and old enough,"
            f" {account.recent_orphans} too young to tell, {account.deleted} deleted."
            f" {len(account.missing)} requests lack a file."
        )
        for key in account.orphans[:_SHOWN]:
            self.stdout.write(f"  no row: {key}")
        names = dict(Artwork.objects.filter(pk__in=account.missing).values_list("pk", "asset__name"))
        for pk, keys in list(account.missing.items())[:_SHOWN]:
            self.stdout.write(
                self.style.WARNING(f"  {names.get(pk)} (request {pk}) lacks {', '.join(keys)}; fetch it again")
            )
        if account.is_incomplete:
            self.stdout.write("Some files were left: pictures are being stored just now. Run it again.")
