"""Backfill the gated fields of legacy assets: one run per rule."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from assets.backfill_rules import AI_METADATA_RULE, CREATOR_DESCRIPTION_RULE, FROM_DESCRIPTION, FROM_NAME
from jobs.commands import SLEEP_RATIO_HELP

SONGS_RULE = "albumart.legacy_songs"  # a rule of a higher app, referenced by name


class Command(BaseCommand):
    help = "Backfill creator description and AI metadata of legacy assets, and request artwork for songs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--from", dest="source", choices=[FROM_NAME, FROM_DESCRIPTION], default=FROM_NAME,
            help="Source of the creator description (default name). The name is also the fallback for description.",
        )  # fmt: skip
        parser.add_argument(
            "--registered-before", metavar="DATE", help="Exclude assets registered at or after this date."
        )
        parser.add_argument("--songs", action="store_true", help="Also request artwork for songs.")
        parser.add_argument("--dry-run", action="store_true", help="Plan the runs, write nothing.")
        parser.add_argument("--batch-size", type=int, default=100, help="Rows per batch, 1 to 5000 (default 100).")
        parser.add_argument("--sleep-ratio", type=float, default=0, help=SLEEP_RATIO_HELP)
        parser.add_argument("--background", action="store_true", help="Let the Celery workers run it; do not wait.")
        parser.add_argument(
            "--reason", default="Legacy assets filled by an operator", help="Reason stored with the runs."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        before = options["registered_before"]
        common = [f"registered_before={before}"] if before else []
        self._run(CREATOR_DESCRIPTION_RULE.name, [f"from={options['source']}", *common], options)
        self._run(AI_METADATA_RULE.name, common, options)
        if options["songs"]:
            self._run(SONGS_RULE, [], options)

    def _run(self, rule: str, parameters: list[str], options: dict[str, Any]) -> None:
        arguments = ["plan" if options["dry_run"] else "run", rule, "--reason", options["reason"]]
        arguments += ["--batch-size", str(options["batch_size"]), "--sleep-ratio", str(options["sleep_ratio"])]
        arguments += [argument for parameter in parameters for argument in ("--param", parameter)]
        if options["background"] and not options["dry_run"]:
            arguments.append("--background")
        call_command("backfill", *arguments, stdout=self.stdout, stderr=self.stderr)
