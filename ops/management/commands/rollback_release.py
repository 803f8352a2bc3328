"""`rollback_release --reason TEXT`: the emergency procedure, step by step (docs/emergency-rollback.md)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from common.errors import RegistryError
from flags.registry import FLAG_NAMES
from ops.rollback import STEPS, StepRecord, execute_rollback, plan_rollback


class Command(BaseCommand):
    help = "Switch gated flags off and check that answers are what they were before; ends with 1 if they are not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = ", ".join(sorted(FLAG_NAMES))
        parser.add_argument("--reason", required=True, help="why; kept with the changes")
        parser.add_argument("--flags", metavar="A,B", help=f"only these, of: {names}")
        parser.add_argument(
            "--except-flag", action="append", default=[], metavar="NAME", help="do not change this flag"
        )
        parser.add_argument("--by", dest="email", metavar="EMAIL", help="user who is recorded and calls the API")
        parser.add_argument(
            "--undo-backfills", action="store_true", help="also put back what backfills wrote, where nobody changed it"
        )
        parser.add_argument("--dry-run", action="store_true", help="change nothing, tell what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            plan = plan_rollback(
                reason=options["reason"],
                by=_person(options["email"]),
                only=_names(options["flags"]),
                keep=options["except_flag"],
                is_dry_run=options["dry_run"],
                undoes_backfills=options["undo_backfills"],
                now=timezone.now(),
            )
        except RegistryError as error:
            raise CommandError(error.message) from error
        reports = []
        for number, report in enumerate(execute_rollback(plan), 1):
            self._print(number, report)
            reports.append(report)
        total = f"{sum(report.seconds for report in reports):.2f} s"
        if not all(report.succeeded for report in reports):
            self.stdout.write(self.style.ERROR(f"Not as it should be, after {total}: see above."))
            raise SystemExit(1)
        done = "Nothing was changed (--dry-run)" if plan.is_dry_run else "Rolled back"
        self.stdout.write(self.style.SUCCESS(f"{done}: {len(reports)} steps in {total}."))

    def _print(self, number: int, report: StepRecord) -> None:
        state = "not done" if report.outcome is None else "ok" if report.succeeded else "NOT OK"
        self.stdout.write(f"[{number}/{len(STEPS)}] {report.step.name}: {state}, {report.seconds:.2f} s")
        for line in report.outcome.lines if report.outcome else ():
            self.stdout.write(f"      {line}")
        self.stdout.flush()


def _names(text: str | None) -> list[str]:
    if text is None:
        return []
    # An empty one comes from a script whose variable was empty: it does not mean "all".
    if not (names := [name.strip() for name in text.split(",") if name.strip()]):
        raise CommandError("--flags names no flag; leave it out to switch all of them off")
    return names


def _person(email: str | None) -> User | None:
    if not email:
        return None
    person = User.objects.with_email(email).first()
    if person is None:
        raise CommandError(f"Nobody has the address {email}")
    return person
