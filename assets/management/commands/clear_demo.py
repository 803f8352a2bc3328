"""Delete the demo assets."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from assets.demo import clear_demo
from common.errors import RegistryError
from common.progress_bar import progress_bar


class Command(BaseCommand):
    help = "Delete all demo assets: rows, history, media, and the counters that only they used."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with progress_bar("Demo files", None) as on_progress:
                count = clear_demo(on_progress=on_progress)
        except RegistryError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Removed {count} demo assets.")
