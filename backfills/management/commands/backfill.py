"""Backfills from the command line: plan, carry out with a bar, steer, undo."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

import orjson
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backfills import queueing, run_control, states
from backfills.engine.ledger import preview_undo
from backfills.engine.run_context import context_for_run
from backfills.engine.run_setup import create_run_context, plan_run, start_run
from backfills.engine.selection import select_rows
from backfills.errors import NoMatchingRows
from backfills.foreground import run_in_foreground
from backfills.models import BackfillRun
from backfills.progress import run_progress, runs_progress
from backfills.rules import all_rules, get_rule
from backfills.throttle import measure_baseline
from common.errors import NotFound, RegistryError
from common.progress_bar import progress_bar

_BY = "command"
_SHOWN = 10


class Command(BaseCommand):
    help = "Fill columns of many rows by a rule: plan it, run it, watch it, pause it, undo it. Ctrl-C pauses."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        self._add_start(verbs.add_parser("plan", help="What a run would do, tried on the real rows and rolled back."))
        run = self._add_start(verbs.add_parser("run", help="Start a run and carry it out."))
        run.add_argument("--plan", metavar="HASH", help="Only if the rows still are what this plan was made from.")
        self._add_queued(run)
        status = verbs.add_parser("status", help="Runs and how they go.")
        status.add_argument("rule", nargs="?")
        status.add_argument("--json", action="store_true")
        for verb, text in _STEERING.items():
            steered = verbs.add_parser(verb, help=text)
            steered.add_argument("rule")
            steered.add_argument("--run", type=int, metavar="ID", help="Not the rule's newest run, but this one.")
            if verb in ("resume", "undo", "force"):
                self._add_queued(steered)
            if verb == "undo":
                steered.add_argument("--dry-run", action="store_true", help="Count what would be put back.")
            if verb == "adjust":
                steered.add_argument("--batch-size", type=int)
                steered.add_argument("--rest", type=float, help="Rest after a batch, as a multiple of its time.")
        hold = verbs.add_parser("hold", help="No run goes on until `release`.")
        hold.add_argument("--reason", required=True)
        verbs.add_parser("release", help="Let held runs go on.")

    def _add_start(self, parser: ArgumentParser) -> ArgumentParser:
        parser.add_argument("rule", help=f"One of {', '.join(rule.name for rule in all_rules())}.")
        parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="A parameter of the rule.")
        parser.add_argument("--reason", default="Run from the command line", help="Kept with the run.")
        parser.add_argument("--batch-size", type=int, default=100)
        parser.add_argument("--rest", type=float, default=0, help="Rest after a batch, as a multiple of its time.")
        return parser

    def _add_queued(self, parser: ArgumentParser) -> None:
        parser.add_argument("--queued", action="store_true", help="Leave it to the workers and do not wait.")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            if verb in ("plan", "run", "status", "hold", "release"):
                getattr(self, f"_{verb}")(options)
            else:
                self._steer(verb, options)
        except RegistryError as error:
            raise CommandError(error.message) from error

    def _plan(self, options: dict[str, Any]) -> None:
        job = self._new_job(options)
        rows = select_rows(job, BackfillRun.objects.get(pk=job.run_pk)).count()
        with progress_bar("Planning", rows) as on_progress:
            plan = plan_run(job, now=timezone.now(), on_progress=on_progress)
        self.stdout.write(f"Run {job.run_pk}, planned: {plan.rows} rows")
        for outcome, count in plan.outcomes.most_common():
            self.stdout.write(f"  {count:>8}  {outcome}")
        if plan.groups:
            self.stdout.write("  by layer: " + ", ".join(f"{name} {n}" for name, n in sorted(plan.groups.items())))
        for sample in plan.samples[:3]:
            self.stdout.write(f"  {sample['label']}: {sample['before']} -> {sample['after']}")
        for bad in plan.bad:
            self.stdout.write(self.style.WARNING(f"  bad: {bad['label']}: {bad['reason']}"))
        self.stdout.write(f"Plan {plan.digest}")

    def _run(self, options: dict[str, Any]) -> None:
        if options["plan"]:
            rule = get_rule(options["rule"])
            run = (
                BackfillRun.objects.for_rule(rule.name).filter(plan_hash=options["plan"], state=states.PLANNED).first()
            )
            if run is None:
                raise CommandError(f"No planned run of {rule.name} has the plan {options['plan']}")
        else:
            run = BackfillRun.objects.get(pk=self._new_job(options).run_pk)
        if options["queued"]:
            queueing.start(run.pk, by=_BY, now=timezone.now(), plan_hash=options["plan"])
            self.stdout.write(f"Run {run.pk} is with the workers.")
            return
        try:
            start_run(
                context_for_run(run),
                by=_BY,
                now=timezone.now(),
                plan_hash=options["plan"],
                baseline_p95_ms=measure_baseline(),
            )
        except RegistryError as refusal:
            if not options["plan"]:
                run_control.cancel(run.pk, by=_BY, now=timezone.now())  # written down for this start alone
            if isinstance(refusal, NoMatchingRows):
                self.stdout.write(refusal.message)
                return
            raise
        self._carry_out(run.pk)

    def _new_job(self, options: dict[str, Any]) -> Any:
        parameters = dict(pair.partition("=")[::2] for pair in options["set"])
        return create_run_context(
            get_rule(options["rule"]), apps, parameters=parameters, by=_BY, reason=options["reason"],
            now=timezone.now(), batch_size=options["batch_size"], sleep_ratio=options["rest"],
        )  # fmt: skip

    def _carry_out(self, run_pk: int) -> None:
        figures = run_progress(BackfillRun.objects.get(pk=run_pk), timezone.now())
        try:
            with progress_bar(f"{figures['rule']} #{run_pk}", figures["rowsTotal"]) as on_rows:
                on_rows(figures["rowsDone"])
                run = run_in_foreground(run_pk, clock=timezone.now, on_rows=on_rows, on_wait=self._tell_wait)
        except KeyboardInterrupt:
            run = BackfillRun.objects.get(pk=run_pk)
            if run.state == states.RUNNING:
                run = run_control.pause(run_pk, by=_BY, now=timezone.now())
                self.stdout.write("Paused. `resume` goes on from here.")
        self._tell(run)
        if run.state == states.FAILED:
            raise CommandError(run.error)

    def _tell_wait(self, reason: str) -> None:
        self.stdout.write(f"Waiting: {reason}")

    def _tell(self, run: BackfillRun) -> None:
        text = (
            f"Run {run.pk} of {run.rule_name}, {run.state}: {run.rows_done} of {run.total_rows} rows,"
            f" {run.changed_rows} changed, {run.skipped_rows} left as they were, {run.failed_rows} parked"
        )
        if run.state in (states.UNDOING, states.UNDONE):
            text += f"; {run.restored_rows} values put back, {run.conflict_rows} conflicts"
        self.stdout.write(text)
        for parked in run.parked.open()[:_SHOWN]:
            self.stdout.write(self.style.WARNING(f"  parked: {parked.label}: {parked.reason}"))
        for change in run.changes.conflicts()[:_SHOWN]:
            self.stdout.write(
                self.style.WARNING(f"  conflict: {change.field} of row {change.row_pk} ({change.outcome})")
            )

    def _status(self, options: dict[str, Any]) -> None:
        runs = BackfillRun.objects.all()
        if options["rule"]:
            runs = runs.for_rule(get_rule(options["rule"]).name)
        figures = runs_progress(list(runs[:_SHOWN]), timezone.now())
        if options["json"]:
            self.stdout.write(orjson.dumps(figures, option=orjson.OPT_INDENT_2).decode())
            return
        if hold := run_control.global_pause():
            self.stdout.write(self.style.WARNING(f"All runs are held by {hold['held_by']}: {hold['reason']}"))
        for run in runs[:_SHOWN]:
            self._tell(run)
        for one in figures:
            if one["waitsBecause"]:
                self.stdout.write(f"  run {one['id']} waits: {one['waitsBecause']}")
        if not figures:
            self.stdout.write("There are no runs.")

    def _steer(self, verb: str, options: dict[str, Any]) -> None:
        run, now = self._find_run(options), timezone.now()
        said = {"by": _BY, "now": now}
        if verb == "undo" and options["dry_run"]:
            outcomes = preview_undo(context_for_run(run))
            self.stdout.write(
                f"Run {run.pk}: {outcomes['restored']} values would be put back, {outcomes['conflict']} are no longer"
                f" the run's, {outcomes['gone']} rows are gone"
            )
            return
        if verb == "retry":
            for parked in run.parked.open():
                done = run_control.retry_row(parked.pk, **said)
                self.stdout.write(f"  {done.label}: {done.resolution or done.reason}")
            return
        if verb == "adjust":
            run_control.adjust(
                run.pk,
                batch_size=run.batch_size if options["batch_size"] is None else options["batch_size"],
                sleep_ratio=run.sleep_ratio if options["rest"] is None else options["rest"],
                **said,
            )
        elif verb in ("resume", "undo", "force"):
            source: Any = queueing if options["queued"] else run_control
            name = "begin_undo" if verb == "undo" and not options["queued"] else verb
            act: Callable[..., Any] = getattr(source, name)
            act(run.pk, **said)
            if not options["queued"]:
                self._carry_out(run.pk)
                return
        else:
            getattr(run_control, verb)(run.pk, **said)
        self._tell(BackfillRun.objects.get(pk=run.pk))

    def _find_run(self, options: dict[str, Any]) -> BackfillRun:
        rule = get_rule(options["rule"])
        runs = BackfillRun.objects.for_rule(rule.name)
        # The newest that began; a plan made since is not what anybody wants to pause.
        run = (
            runs.filter(pk=options["run"]).first()
            if options["run"]
            else runs.exclude(started_at=None).first() or runs.first()
        )
        if run is None:
            raise NotFound(f"There is no such run of {rule.name}")
        return run

    def _hold(self, options: dict[str, Any]) -> None:
        run_control.pause_all(by=_BY, reason=options["reason"], now=timezone.now())
        self.stdout.write("All runs are held; `release` lets them go on.")

    def _release(self, options: dict[str, Any]) -> None:
        self.stdout.write("Released." if run_control.resume_all() else "Nothing was held.")


_STEERING = {
    "pause": "Stop after the batch under way; `resume` goes on.",
    "resume": "Go on with a paused or failed run.",
    "cancel": "Stop for good; what was written stays until it is undone.",
    "undo": "Put back what was there before, where nobody has changed it since.",
    "finalise": "Say that the values may be counted on; refused while rows are missing.",
    "reopen": "Take the finalising back, so that the run can be undone.",
    "force": "Take a run from a worker that is gone.",
    "adjust": "Other batches, another rest, from the next batch on.",
    "retry": "Do parked rows once more.",
}
