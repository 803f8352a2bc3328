"""Command line of backfills: plan, run with a progress bar, control, undo."""

from argparse import ArgumentParser
from typing import Any

import orjson
from django.apps import apps
from django.core.management.base import CommandError
from django.utils import timezone

from backfills import queueing
from backfills.engine.run_context import context_for_run
from backfills.engine.run_setup import create_run_context, plan_run, start_run
from backfills.models import BackfillRun
from backfills.progress import run_progress, runs_progress
from backfills.rules import all_rules, get_rule
from backfills.run_control import CONTROL
from common.errors import NotFound, RegistryError
from common.progress_bar import progress_bar
from jobs import states
from jobs.commands import BY_COMMAND, MAX_SHOWN, SLEEP_RATIO_HELP, RunCommand
from jobs.errors import NoMatchingRows
from jobs.run_context import RunContext
from jobs.throttle import measure_baseline


class Command(RunCommand):
    help = "Fill columns of many rows by a rule. Runs can be planned, watched, paused and undone. Ctrl-C pauses."
    control = CONTROL
    queueing = queueing

    def add_arguments(self, parser: ArgumentParser) -> None:
        parsers = parser.add_subparsers(required=True, metavar="ACTION")
        plan = parsers.add_parser("plan", help="Show what a run would do. Writes are tried and rolled back.")
        self._add_start_arguments(plan)
        plan.set_defaults(func=self._plan)
        run = parsers.add_parser("run", help="Start a run and wait for its end.")
        self._add_start_arguments(run)
        run.add_argument("--plan", metavar="HASH", help="Start only if the rows still give this plan.")
        self.add_background(run)
        run.set_defaults(func=self._run)
        status = parsers.add_parser("status", help="Show the progress of the newest runs.")
        status.add_argument("rule", nargs="?")
        status.add_argument("--json", action="store_true")
        status.set_defaults(func=self._status)
        self.add_control_parsers(parsers)

    def _add_start_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("rule", help=f"One of {', '.join(rule.name for rule in all_rules())}.")
        parser.add_argument(
            "--param", metavar="NAME=VALUE", action="append", default=[], help="A parameter of the rule."
        )
        parser.add_argument("--reason", default="Run from the command line", help="Stored with the run.")
        parser.add_argument("--batch-size", type=int, default=100, help="Rows per batch, 1 to 5000 (default 100).")
        parser.add_argument("--sleep-ratio", type=float, default=0, help=SLEEP_RATIO_HELP)

    def add_target(self, parser: ArgumentParser) -> None:
        parser.add_argument("rule")
        parser.add_argument("--run", type=int, metavar="ID", help="The run (default: the newest run of the rule).")

    def find_run(self, options: dict[str, Any]) -> BackfillRun:
        rule = get_rule(options["rule"])
        runs = BackfillRun.objects.for_rule(rule.name)
        if options["run"]:
            run = runs.filter(pk=options["run"]).first()
        else:  # the newest started run: a later plan is not what the operator wants to pause
            run = runs.exclude(started_at=None).first() or runs.first()
        if run is None:
            raise NotFound(f"There is no such run of {rule.name}")
        return run

    def progress_document(self, run: BackfillRun) -> dict[str, Any]:
        return run_progress(run, timezone.now())

    def _create_run(self, options: dict[str, Any]) -> RunContext:
        parameters = dict(pair.partition("=")[::2] for pair in options["param"])
        return create_run_context(
            get_rule(options["rule"]), apps, parameters=parameters, by=BY_COMMAND, reason=options["reason"],
            now=timezone.now(), batch_size=options["batch_size"], sleep_ratio=options["sleep_ratio"],
        )  # fmt: skip

    def _plan(self, options: dict[str, Any]) -> None:
        context = self._create_run(options)
        rows = context.operation.select(self.control.get_run(context.run_pk)).count()
        with progress_bar("Planning", rows) as on_progress:
            plan = plan_run(context, now=timezone.now(), on_progress=on_progress)
        self.stdout.write(f"Run {context.run_pk}, planned: {plan.rows} rows")
        for outcome, count in plan.outcomes.most_common():
            self.stdout.write(f"  {count:>8}  {outcome}")
        if plan.groups:
            self.stdout.write("  by layer: " + ", ".join(f"{name} {n}" for name, n in sorted(plan.groups.items())))
        for sample in plan.samples[:3]:
            self.stdout.write(f"  {sample['label']}: {sample['before']} -> {sample['after']}")
        for error in plan.errors:
            self.stdout.write(self.style.WARNING(f"  error: {error['label']}: {error['reason']}"))
        self.stdout.write(f"Plan {plan.digest}")

    def _run(self, options: dict[str, Any]) -> None:
        run, plan_hash = self._run_to_start(options), options["plan"]
        if options["background"]:
            queueing.start_here(run.pk, by=BY_COMMAND, now=timezone.now(), plan_hash=plan_hash)
            self.stdout.write(f"Run {run.pk} was sent to the workers.")
            return
        try:
            start_run(
                context_for_run(run), by=BY_COMMAND, now=timezone.now(), plan_hash=plan_hash,
                baseline_p95_ms=measure_baseline(),
            )  # fmt: skip
        except RegistryError as error:
            if not plan_hash:  # the run was created for this start only
                self.control.cancel(run.pk, by=BY_COMMAND, now=timezone.now())
            if isinstance(error, NoMatchingRows):
                self.stdout.write(error.message)
                return
            raise
        self.execute_run(run.pk, name=run.rule_name)

    def _run_to_start(self, options: dict[str, Any]) -> BackfillRun:
        if not options["plan"]:
            return self.control.get_run(self._create_run(options).run_pk)
        rule = get_rule(options["rule"])
        planned = BackfillRun.objects.for_rule(rule.name).filter(plan_hash=options["plan"], state=states.PLANNED)
        run = planned.first()
        if run is None:
            raise CommandError(f"No planned run of {rule.name} has the plan {options['plan']}")
        return run

    def _status(self, options: dict[str, Any]) -> None:
        runs = BackfillRun.objects.all()
        if options["rule"]:
            runs = runs.for_rule(get_rule(options["rule"]).name)
        documents = runs_progress(list(runs[:MAX_SHOWN]), timezone.now())
        if options["json"]:
            self.stdout.write(orjson.dumps(documents, option=orjson.OPT_INDENT_2).decode())
            return
        if pause := self.control.global_pause():
            text = f"All runs were paused by {pause['paused_by']}: {pause['reason']}"
            self.stdout.write(self.style.WARNING(text))
        for run in runs[:MAX_SHOWN]:
            self.print_run(run)
        for document in documents:
            if document["waitReason"]:
                self.stdout.write(f"  run {document['id']} waits: {document['waitReason']}")
        if not documents:
            self.stdout.write("There are no runs.")
