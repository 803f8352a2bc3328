"""Command line of artwork: run requests for missing artwork, retry, control runs, show metrics."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from albumart.metrics import cohort_metrics, pipeline_metrics, run_wait_reason
from albumart.missing_artwork import FetchPlan, plan_missing_artwork
from albumart.models import Artwork, ArtworkCohort
from albumart.queueing import refetch, retry_failed
from albumart.runs import cancel_run, pause_run, resume_run, start_run
from assets.lookup import get_asset
from common.errors import RegistryError
from common.progress_bar import progress_bar
from jobs import states
from jobs.commands import BY_COMMAND
from taxonomy.snapshot_cache import current_taxonomy

_POLL_INTERVAL_SECONDS = 1.0
_MAX_SHOWN = 10


class Command(BaseCommand):
    help = "Request artwork for songs and follow the workers. Ctrl-C stops following; the workers continue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        action = parser.add_mutually_exclusive_group(required=True)
        action.add_argument("--missing", action="store_true", help="Request missing artwork whose URL is known.")
        action.add_argument("--asset", metavar="KEY", nargs="+", help="Refetch artwork of assets: name, address or id.")
        action.add_argument("--failed", action="store_true", help="Retry failed requests from the failed step.")
        action.add_argument("--status", action="store_true", help="Show metrics of seven days, and the newest runs.")
        action.add_argument("--pause", metavar="RUN", help="Pause a run and its pending requests.")
        action.add_argument("--resume", metavar="RUN", help="Resume a paused run.")
        action.add_argument("--cancel", metavar="RUN", help="Cancel a run and its pending requests.")
        parser.add_argument("--layer", default="G", help="Layer of the assets (default G).")
        parser.add_argument("--limit", type=int, help="Maximum number of requests.")
        parser.add_argument("--name", help="Name of the run (default: the current time).")
        parser.add_argument("--dry-run", action="store_true", help="Show what would be requested.")
        parser.add_argument("--no-wait", action="store_true", help="Do not follow the run.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit must be at least 1")
        try:
            self._run(options)
        except RegistryError as error:
            raise CommandError(error.message) from error

    def _run(self, options: dict[str, Any]) -> None:
        if options["missing"]:
            self._request_missing(options)
        elif options["asset"]:
            self._refetch(options["asset"])
        elif options["failed"]:
            self._retry_failed(options)
        elif options["status"]:
            self._print_status()
        else:
            self._control_run(options)

    def _refetch(self, references: list[str]) -> None:
        taxonomy = current_taxonomy()
        assets = [get_asset(reference, taxonomy) for reference in references]
        pks = Artwork.objects.current().filter(asset__in=assets).values_list("pk", flat=True)
        self.stdout.write(f"Artwork requested again: {refetch(pks, by=BY_COMMAND, now=timezone.now())}.")

    def _retry_failed(self, options: dict[str, Any]) -> None:
        failed = Artwork.objects.current().filter(status=Artwork.Status.FAILED).order_by("pk")
        pks = list(failed.values_list("pk", flat=True)[: options["limit"]])
        count = len(pks) if options["dry_run"] else retry_failed(pks, now=timezone.now())
        self.stdout.write(f"{count} failed requests {'would be' if options['dry_run'] else 'were'} queued again.")

    def _request_missing(self, options: dict[str, Any]) -> None:
        plan = plan_missing_artwork(layer=options["layer"].upper(), limit=options["limit"])
        self._print_plan(plan)
        # A named run without requests is still a cohort whose metrics can be followed.
        if options["dry_run"] or not (plan.requests or (options["name"] and plan.songs_found)):
            self.stdout.write("Nothing was requested.")
            return
        now = timezone.now()
        name = options["name"] or f"Missing artwork {now:%Y-%m-%d %H:%M:%S}"
        cohort = start_run(plan, name=name, reason="", by=BY_COMMAND, now=now)
        self.stdout.write(f"Run {name} (backfill run {cohort.run_id}) started for {len(plan.requests)} requests.")
        if plan.requests and not options["no_wait"]:
            self._follow(cohort, len(plan.requests))

    def _print_plan(self, plan: FetchPlan) -> None:
        self.stdout.write(
            f"{plan.songs_found} songs without artwork: {len(plan.requests)} with a known URL,"
            f" {len(plan.host_not_allowed)} with a host that is not a source, {len(plan.without_url)} without a URL."
        )
        for pattern, count in plan.requests_by_source.most_common():
            self.stdout.write(f"  {count} from {pattern}")
        for name, host in plan.host_not_allowed[:_MAX_SHOWN]:
            self.stdout.write(self.style.WARNING(f"  {name}: {host} is not a source"))
        if plan.requests:
            self.stdout.write(f"The rate limits of the sources require about {plan.duration}.")

    def _follow(self, cohort: ArtworkCohort, total: int) -> None:
        done, shown = 0, ""
        try:
            with progress_bar(cohort.name, total) as on_progress:
                while True:
                    cohort.run.refresh_from_db()
                    metrics = cohort_metrics(cohort)
                    on_progress(metrics["done"] - done)
                    done = metrics["done"]
                    if done >= total or cohort.run.state not in (states.RUNNING, states.PAUSING, states.PAUSED):
                        break
                    reason = run_wait_reason(cohort, timezone.now())
                    if reason and reason != shown:
                        self.stdout.write(f"Waiting: {reason}")
                    shown = reason
                    time.sleep(_POLL_INTERVAL_SECONDS)
        except KeyboardInterrupt:
            self.stdout.write(f'The workers continue. `--pause "{cohort.name}"` pauses the run.')
        metrics = cohort_metrics(cohort)
        counts = ", ".join(f"{count} {status}" for status, count in sorted(metrics["by_status"].items()))
        self.stdout.write(f"Run {cohort.name}: {metrics['done']} of {metrics['asked']} done ({counts}).")

    def _print_status(self) -> None:
        metrics = pipeline_metrics(timezone.now())
        success, queue = metrics["success"], metrics["queue"]
        rate = "none finished" if success["rate"] is None else f"{success['rate']:.1%} of {success['ended']}"
        self.stdout.write(f"Stored in {metrics['window_days']} days: {rate} (goal over {success['goal']:.0%}).")
        self.stdout.write(
            f"Queue: {queue['waiting']} pending, {queue['running']} processing, oldest {queue['oldest_seconds']} s."
        )
        for cause in metrics["causes"]:
            self.stdout.write(f"  {cause['count']} {cause['status']} {cause['error_code']} {cause['source_host']}")
        for source in metrics["sources"]:
            self.stdout.write(f"  source {source['host']}: circuit breaker {source['breaker']}")
        for cohort in metrics["cohorts"]:
            self.stdout.write(
                f"  run {cohort['name']}: {cohort['with_picture']} of {cohort['songs']} songs have artwork,"
                f" {cohort['stored']} of {cohort['asked']} requests stored, {cohort['never_asked']} songs not requested"
            )

    def _control_run(self, options: dict[str, Any]) -> None:
        by_now = {"by": BY_COMMAND, "now": timezone.now()}
        if name := options["pause"]:
            pause_run(name, **by_now)
            self.stdout.write(f"Run {name} paused.")
        elif name := options["resume"]:
            resume_run(name, **by_now)
            self.stdout.write(f"Run {name} resumed.")
        else:
            self.stdout.write(f"{cancel_run(options['cancel'], **by_now)} requests cancelled.")
