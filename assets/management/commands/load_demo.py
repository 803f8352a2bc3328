"""Add demo assets."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from assets.demo import load_demo
from common.errors import RegistryError
from common.progress_bar import progress_bar


class Command(BaseCommand):
    help = "Add demo assets in the shares of the legacy registry. clear_demo deletes them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--assets", type=int, default=1103, help="Number of assets (default 1103).")

    def handle(self, *args: Any, assets: int, **options: Any) -> None:
        if assets < 1:
            raise CommandError(f"--assets is {assets} (minimum 1)")
        try:
            with progress_bar("Demo assets", assets) as on_progress:
                count = load_demo(asset_count=assets, now=timezone.now(), on_progress=on_progress)
        except RegistryError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Loaded {count} demo assets.")
