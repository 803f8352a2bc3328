"""`flags list` · `on NAME` · `off NAME` · `percent NAME VALUE` · `stage NAME STAGE`, each edit with --reason."""

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
    "on": "on for everyone",
    "off": "off for everyone",
    "percent": "on for a percentage",
    "stage": "the next stage of its rollout, or any other",
}


class Command(BaseCommand):
    help = "Show the flags, or switch one: on or off for everyone, on for a percentage, or to a stage of its rollout."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="every flag and its state")
        for verb, text in _EDITS.items():
            edit = verbs.add_parser(verb, help=text)
            edit.add_argument("name", help=", ".join(sorted(FLAG_NAMES)))
            if verb == "percent":
                edit.add_argument("value", help="0.0 to 99.9")
            elif verb == "stage":
                edit.add_argument("value", metavar="STAGE", help="off, staff, 1, 10, 50 or 100")
            edit.add_argument("--reason", default="", help="why; kept with the change")
            edit.add_argument("--by", metavar="EMAIL", help="who; without it the change counts as the system's")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        if verb == "list":
            for flag in FieldFlag.objects.order_by("name"):
                self.stdout.write(f"{flag.name:<28} {describe_state(state_of(flag))}")
            return
        by = None
        if options["by"] and (by := get_user_model().objects.filter(email=options["by"].lower()).first()) is None:
            raise CommandError(f"Nobody has the address {options['by']}")
        edit = {"name": options["name"], "by": by, "reason": options["reason"], "now": timezone.now()}
        try:
            if verb == "stage":
                change = set_stage(stage=options["value"], **edit)
            elif verb == "percent":
                change = update_flag(everyone=None, percent=options["value"], **edit)
            else:
                change = update_flag(everyone=verb == "on", **edit)
        except RegistryError as refusal:
            raise CommandError(refusal.message) from refusal
        if change is None:
            self.stdout.write(f"{options['name']} is that already; nothing recorded")
        else:
            words = f"{describe_state(change.before)} -> {describe_state(change.after)}"
            self.stdout.write(f"{options['name']}: {words}")
