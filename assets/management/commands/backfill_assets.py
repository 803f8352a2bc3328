"""The new fields of legacy assets, for operators: one run of each rule."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from assets.backfill_rules import AI_METADATA_RULE, CREATOR_DESCRIPTION_RULE, FROM_DESCRIPTION, FROM_NAME
from jobs.commands import SLEEP_RATIO_HELP

SONGS_RULE = "albumart.legacy_songs"  # registered by the app above, known here by its name


class Command(BaseCommand):
    help = "Give legacy assets a creator description and AI metadata, and songs a request for their picture."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--from", dest="words_from", choices=[FROM_NAME, FROM_DESCRIPTION], default=FROM_NAME,
            help="Where the creator description comes from; the name stands in where a description has no words.",
        )  # fmt: skip
        parser.add_argument("--registered-before", metavar="DATE", help="Leave later assets alone.")
        parser.add_argument("--songs", action="store_true", help="Also ask for the pictures of songs.")
        parser.add_argument("--dry-run", action="store_true", help="Only plan.")
        parser.add_argument("--batch-size", type=int, default=100, help="Rows per batch, 1 to 5000 (default 100).")
        parser.add_argument("--sleep-ratio", type=float, default=0, help=SLEEP_RATIO_HELP)
        parser.add_argument("--background", action="store_true", help="Let the Celery workers run it; do not wait.")
        parser.add_argument("--reason", default="Legacy assets filled by an operator")

    def handle(self, *args: Any, **options: Any) -> None:
        before = options["registered_before"]
        common = [f"registered_before={before}"] if before else []
        self._go(CREATOR_DESCRIPTION_RULE.name, [f"from={options['words_from']}", *common], options)
        self._go(AI_METADATA_RULE.name, common, options)
        if options["songs"]:
            self._go(SONGS_RULE, [], options)

    def _go(self, rule: str, parameters: list[str], options: dict[str, Any]) -> None:
        words = ["plan" if options["dry_run"] else "run", rule, "--reason", options["reason"]]
        words += ["--batch-size", str(options["batch_size"]), "--sleep-ratio", str(options["sleep_ratio"])]
        words += [word for parameter in parameters for word in ("--param", parameter)]
        if options["background"] and not options["dry_run"]:
            words.append("--background")
        call_command("backfill", *words, stdout=self.stdout, stderr=self.stderr)
