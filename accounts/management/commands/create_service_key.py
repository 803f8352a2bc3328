"""Create a service key."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.service_keys import create_service_key
from common.errors import RegistryError


class Command(BaseCommand):
    help = "Create a key for another service and print it. The key is not stored and cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="Name of the service.")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        try:
            _, text = create_service_key(name, by=None)
        except RegistryError as error:
            raise CommandError(error.message) from error
        self.stdout.write(text)
