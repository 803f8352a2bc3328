"""`flags list`, or `flags on|off NAME`, `flags percent NAME VALUE`, `flags stage NAME STAGE` with --reason."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from common.errors import RegistryError
from flags.audit import describe_state
from flags.editing import state_of, update_flag
from flags.models import FieldFlag
from flags.registry import FLAG_NAMES
from flags.rollout import set_stage

_EDITS = {
    "on": "turn on for everyone",
    "off": "turn off for everyone",
    "percent": "turn on for a percentage of callers",
    "stage": "set the stage of the rollout",
}


class Command(BaseCommand):
    help = "List the flags, or change one: on, off, a percentage of callers, or a stage of the rollout."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="list every flag with its state")
        for action, text in _EDITS.items():
            edit = actions.add_parser(action, help=text)
            edit.add_argument("name", help=", ".join(sorted(FLAG_NAMES)))
            if action == "percent":
                edit.add_argument("value", help="0.0 to 99.9")
            elif action == "stage":
                edit.add_argument("value", metavar="STAGE", help="off, staff, 1, 10, 50 or 100")
            edit.add_argument("--reason", default="", help="reason, recorded with the change")
            edit.add_argument("--by", metavar="EMAIL", help="user who makes the change (default: the system)")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "list":
            for flag in FieldFlag.objects.order_by("name"):
                self.stdout.write(f"{flag.name:<28} {describe_state(state_of(flag))}")
            return
        by = None
        if options["by"] and (by := get_user_model().objects.filter(email=options["by"].lower()).first()) is None:
            raise CommandError(f"No user has the e-mail {options['by']}")
        edit = {"name": options["name"], "by": by, "reason": options["reason"], "now": timezone.now()}
        try:
            if action == "stage":
                change = set_stage(stage=options["value"], **edit)
            elif action == "percent":
                change = update_flag(everyone=None, percent=options["value"], **edit)
            else:
                change = update_flag(everyone=action == "on", **edit)
        except RegistryError as error:
            raise CommandError(error.message) from error
        if change is None:
            self.stdout.write(f"{options['name']} has this state already; nothing recorded")
        else:
            self.stdout.write(f"{options['name']}: {describe_state(change.before)} -> {describe_state(change.after)}")
