"""Grant the role admin."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.registration import grant_admin_role
from common.errors import RegistryError


class Command(BaseCommand):
    help = "Grant the role admin to a registered user."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="E-mail of the user.")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        try:
            user = grant_admin_role(email=email, by=None)
        except RegistryError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{user.email} has the role admin.")
