"""Make a key for another service."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import ServiceKey
from accounts.service_keys import make_key


class Command(BaseCommand):
    help = "Make a key for another service and print it. It is printed once and kept nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="Which service will hold it.")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        if ServiceKey.objects.filter(name=name).exists():
            raise CommandError(f"A key named {name} exists; revoke it or choose another name")
        _, text = make_key(name, by=None)
        self.stdout.write(text)
