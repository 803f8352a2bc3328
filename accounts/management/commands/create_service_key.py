"""Make a key for another service."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.service_keys import create_service_key
from common.errors import RegistryError


class Command(BaseCommand):
    help = "Make a key for another service and print it. It is printed once and kept nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="Which service will hold it.")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        try:
            _, text = create_service_key(name, by=None)
        except RegistryError as error:
            raise CommandError(error.message) from error
        self.stdout.write(text)
