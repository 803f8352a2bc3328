"""Base class of commands that control the runs of one kind."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.errors import RegistryError
from common.progress_bar import progress_bar
from jobs import states
from jobs.foreground import run_in_foreground
from jobs.run_control import Queueing, RunControl

BY_COMMAND = "command"
MAX_SHOWN = 10
SLEEP_RATIO_HELP = "Pause after each batch, as a multiple of the batch's duration (default 0)."


class RunCommand(BaseCommand):
    """Subclasses set `control` and `queueing`, add their own subcommands, and find the run of the options."""

    control: ClassVar[RunControl]
    queueing: ClassVar[Queueing]

    def find_run(self, options: dict[str, Any]) -> Any:
        raise NotImplementedError

    def progress_document(self, run: Any) -> dict[str, Any]:
        raise NotImplementedError

    def add_target(self, parser: ArgumentParser) -> None:
        """Add the arguments by which `find_run` finds a run."""
        raise NotImplementedError

    def handle(self, *args: Any, func: Callable[[dict[str, Any]], None], **options: Any) -> None:
        try:
            func(options)
        except RegistryError as error:
            raise CommandError(error.message) from error

    def add_control_parsers(self, parsers: Any) -> None:
        self._add_control(parsers, "pause", self._pause, "Stop after the current batch; `resume` continues.")
        resume = self._add_control(parsers, "resume", self._resume, "Continue a paused or failed run.")
        self._add_control(parsers, "cancel", self._cancel, "Stop for good. Written values stay until an undo.")
        undo = self._add_control(parsers, "undo", self._undo, "Restore values that have not changed since.")
        undo.add_argument("--dry-run", action="store_true", help="Count the values that would be restored.")
        self._add_control(parsers, "finalise", self._finalise, "Declare the values reliable.")
        self._add_control(parsers, "reopen", self._reopen, "Set a finalised run back to finished.")
        unlock = self._add_control(
            parsers, "force-unlock", self._force_unlock, "Release the lease of a worker that is gone, and continue."
        )
        adjust = self._add_control(parsers, "adjust", self._adjust, "Change the pace from the next batch on.")
        adjust.add_argument("--batch-size", type=int, help="Rows per batch, 1 to 5000.")
        adjust.add_argument("--sleep-ratio", type=float, help=SLEEP_RATIO_HELP)
        self._add_control(parsers, "retry", self._retry, "Retry the failed rows.")
        for parser in (resume, undo, unlock):
            self.add_background(parser)
        pause_all = parsers.add_parser("pause-all", help="Pause all runs until `resume-all`.")
        pause_all.add_argument("--reason", required=True, help="Shown with each paused run.")
        pause_all.set_defaults(func=self._pause_all)
        parsers.add_parser("resume-all", help="End the pause of all runs.").set_defaults(func=self._resume_all)

    def add_background(self, parser: ArgumentParser) -> None:
        parser.add_argument("--background", action="store_true", help="Let the Celery workers run it; do not wait.")

    def _add_control(
        self, parsers: Any, name: str, func: Callable[[dict[str, Any]], None], text: str
    ) -> ArgumentParser:
        parser = parsers.add_parser(name, help=text)
        self.add_target(parser)
        parser.set_defaults(func=func)
        return parser

    def execute_run(self, run_pk: int, *, name: str) -> None:
        """Run in the foreground with a progress bar. Ctrl-C pauses."""
        document = self.progress_document(self.control.get_run(run_pk))
        try:
            with progress_bar(f"{name} #{run_pk}", document["rowsTotal"]) as on_rows:
                on_rows(document["rowsDone"])
                run = run_in_foreground(
                    self.control, run_pk, clock=timezone.now, on_rows=on_rows, on_wait=self._print_wait
                )
        except KeyboardInterrupt:
            run = self.control.get_run(run_pk)
            if run.state == states.RUNNING:
                run = self.control.pause(run_pk, **_by())
                self.stdout.write("Paused. `resume` continues.")
        self.print_run(run)
        if run.state == states.FAILED:
            raise CommandError(run.error)

    def print_run(self, run: Any) -> None:
        text = (
            f"Run {run}, {run.state}: {run.rows_done} of {run.total_rows} rows, {run.changed_rows} changed,"
            f" {run.skipped_rows} skipped, {run.failed_rows} failed"
        )
        if run.state in (states.UNDOING, states.UNDONE):
            text += f"; {run.restored_rows} values restored, {run.conflict_rows} conflicts"
        self.stdout.write(text)
        for error in run.row_errors.unresolved()[:MAX_SHOWN]:
            self.stdout.write(self.style.WARNING(f"  failed: {error.label}: {error.reason}"))
        for change in run.changes.conflicts()[:MAX_SHOWN]:
            text = f"  conflict: {change.field} of row {change.row_pk} ({change.outcome})"
            self.stdout.write(self.style.WARNING(text))

    def _print_wait(self, reason: str) -> None:
        self.stdout.write(f"Waiting: {reason}")

    def _pause(self, options: dict[str, Any]) -> None:
        self.print_run(self.control.pause(self.find_run(options).pk, **_by()))

    def _cancel(self, options: dict[str, Any]) -> None:
        self.print_run(self.control.cancel(self.find_run(options).pk, **_by()))

    def _finalise(self, options: dict[str, Any]) -> None:
        self.print_run(self.control.finalise(self.find_run(options).pk, **_by()))

    def _reopen(self, options: dict[str, Any]) -> None:
        self.print_run(self.control.reopen(self.find_run(options).pk, **_by()))

    def _resume(self, options: dict[str, Any]) -> None:
        self._continue(options, self.queueing.resume, self.control.resume)

    def _force_unlock(self, options: dict[str, Any]) -> None:
        self._continue(options, self.queueing.force_unlock, self.control.force_unlock)

    def _undo(self, options: dict[str, Any]) -> None:
        if not options["dry_run"]:
            self._continue(options, self.queueing.undo, self.control.begin_undo)
            return
        run = self.find_run(options)
        outcomes = self.control.context_for_run(run).operation.preview_undo()
        self.stdout.write(
            f"Run {run.pk}: {outcomes['restored']} values would be restored, {outcomes['conflict']} have changed since,"
            f" {outcomes['gone']} rows are gone"
        )

    def _continue(
        self, options: dict[str, Any], in_background: Callable[..., Any], in_foreground: Callable[..., Any]
    ) -> None:
        run = self.find_run(options)
        if options["background"]:
            in_background(run.pk, **_by())
            self.print_run(self.control.get_run(run.pk))
        else:
            in_foreground(run.pk, **_by())
            self.execute_run(run.pk, name=getattr(run, self.control.models.name_field))

    def _adjust(self, options: dict[str, Any]) -> None:
        run = self.find_run(options)
        batch_size = run.batch_size if options["batch_size"] is None else options["batch_size"]
        sleep_ratio = run.sleep_ratio if options["sleep_ratio"] is None else options["sleep_ratio"]
        self.print_run(self.control.adjust(run.pk, batch_size=batch_size, sleep_ratio=sleep_ratio, **_by()))

    def _retry(self, options: dict[str, Any]) -> None:
        for error in self.find_run(options).row_errors.unresolved():
            retried = self.control.retry_row(error.pk, **_by())
            self.stdout.write(f"  {retried.label}: {retried.resolution or retried.reason}")

    def _pause_all(self, options: dict[str, Any]) -> None:
        self.control.pause_all(reason=options["reason"], **_by())
        self.stdout.write("All runs paused; `resume-all` continues them.")

    def _resume_all(self, options: dict[str, Any]) -> None:
        self.stdout.write("All runs resumed." if self.control.resume_all() else "The runs were not paused.")


def _by() -> dict[str, Any]:
    return {"by": BY_COMMAND, "now": timezone.now()}
