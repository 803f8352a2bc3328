"""Emergency rollback of gated fields: docs/emergency-rollback.md."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from common.errors import RegistryError
from flags.registry import FLAG_NAMES
from ops.rollback import STEPS, StepRecord, execute_rollback, plan_rollback


class Command(BaseCommand):
    help = "Turn gated flags off and compare the responses of the API with the recordings. Exit code 1 if they differ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = ", ".join(sorted(FLAG_NAMES))
        parser.add_argument("--reason", required=True, help="stored with the changes")
        parser.add_argument("--flags", metavar="A,B", help=f"turn off only these flags (default all): {names}")
        parser.add_argument(
            "--except-flag", action="append", default=[], metavar="NAME", help="do not change this flag"
        )
        parser.add_argument("--by", dest="email", metavar="EMAIL", help="user who is recorded and calls the API")
        parser.add_argument(
            "--undo-backfills",
            action="store_true",
            help="also restore values that backfills changed, unless they have changed since",
        )
        parser.add_argument("--dry-run", action="store_true", help="print the changes without making them")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            plan = plan_rollback(
                reason=options["reason"],
                by=_active_user(options["email"]),
                only=_names(options["flags"]),
                keep=options["except_flag"],
                is_dry_run=options["dry_run"],
                undoes_backfills=options["undo_backfills"],
                now=timezone.now(),
            )
        except RegistryError as error:
            raise CommandError(error.message) from error
        records = []
        for number, record in enumerate(execute_rollback(plan), 1):
            self._print(number, record)
            records.append(record)
        total = f"{sum(record.seconds for record in records):.2f} s"
        if not all(record.succeeded for record in records):
            self.stdout.write(self.style.ERROR(f"Not completed after {total}: see the failed step above."))
            raise SystemExit(1)
        done = "Nothing was changed (--dry-run)" if plan.is_dry_run else "Rolled back"
        self.stdout.write(self.style.SUCCESS(f"{done}: {len(records)} steps in {total}."))

    def _print(self, number: int, record: StepRecord) -> None:
        state = "skipped" if record.result is None else "ok" if record.succeeded else "FAILED"
        self.stdout.write(f"[{number}/{len(STEPS)}] {record.step.name}: {state}, {record.seconds:.2f} s")
        for line in record.result.lines if record.result else ():
            self.stdout.write(f"      {line}")
        self.stdout.flush()


def _names(text: str | None) -> list[str]:
    if text is None:
        return []
    # An empty list comes from an empty variable in a script; it must not mean "all flags".
    if not (names := [name.strip() for name in text.split(",") if name.strip()]):
        raise CommandError("--flags is empty. Omit it to turn all flags off.")
    return names


def _active_user(email: str | None) -> User | None:
    if not email:
        return None
    user = User.objects.with_email(email).first()
    if user is None:
        raise CommandError(f"There is no user with the email {email}")
    return user
