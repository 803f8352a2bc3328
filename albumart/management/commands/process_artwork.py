"""Pictures from the command line: find songs without one, ask, watch; try failed ones again; show how it goes."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from albumart.metrics import cohort_metrics, pipeline_metrics, run_wait_reason
from albumart.missing_artwork import FetchPlan, plan_missing_artwork
from albumart.models import Artwork, ArtworkRun
from albumart.queueing import cancel_run, pause_run, refetch, resume_run, retry_failed, start_run
from assets.lookup import get_asset
from common.errors import RegistryError
from common.progress_bar import progress_bar
from taxonomy.snapshot import current_taxonomy

_LOOK_SECONDS = 1.0
_SHOWN = 10


class Command(BaseCommand):
    help = "Ask for pictures of songs and watch the queue bring them. Ctrl-C stops the watching, not the work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--missing", action="store_true", help="Missing artwork whose address is known.")
        what.add_argument("--asset", metavar="KEY", nargs="+", help="Refetch for these: name, address or id.")
        what.add_argument("--failed", action="store_true", help="Requests that failed go on where they stopped.")
        what.add_argument("--status", action="store_true", help="Figures of the last seven days and of the runs.")
        what.add_argument("--pause", metavar="RUN", help="Hold the requests of a run back.")
        what.add_argument("--resume", metavar="RUN", help="Let them go on.")
        what.add_argument("--cancel", metavar="RUN", help="End those that still wait.")
        parser.add_argument("--layer", default="G", help="Layer to look in (G).")
        parser.add_argument("--limit", type=int, help="At most so many requests.")
        parser.add_argument("--name", help="Name of the run, by which its figures are found.")
        parser.add_argument("--dry-run", action="store_true", help="Show the plan, ask for nothing.")
        parser.add_argument("--no-wait", action="store_true", help="Do not watch.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit must be at least 1")
        try:
            self._run(options)
        except RegistryError as error:
            raise CommandError(error.message) from error

    def _run(self, options: dict[str, Any]) -> None:
        now = timezone.now()
        if options["missing"]:
            self._missing(options)
        elif options["asset"]:
            directory = current_taxonomy()
            assets = [get_asset(key, directory) for key in options["asset"]]
            pks = Artwork.objects.current().filter(asset__in=assets).values_list("pk", flat=True)
            self.stdout.write(f"{refetch(pks, by='command', now=now)} pictures asked for again.")
        elif options["failed"]:
            failed = Artwork.objects.current().filter(status=Artwork.Status.FAILED).order_by("pk")
            pks = list(failed.values_list("pk", flat=True)[: options["limit"]])
            count = len(pks) if options["dry_run"] else retry_failed(pks, now=now)
            self.stdout.write(f"{count} failed requests {'would be' if options['dry_run'] else 'were'} queued again.")
        elif options["status"]:
            self._status()
        else:
            self._steer(options)

    def _missing(self, options: dict[str, Any]) -> None:
        plan = plan_missing_artwork(layer=options["layer"].upper(), limit=options["limit"])
        self._show_plan(plan)
        # A named run without requests still is a cohort to be followed.
        if options["dry_run"] or not (plan.requests or (options["name"] and plan.asset_pks)):
            self.stdout.write("Nothing was asked for.")
            return
        now = timezone.now()
        name = options["name"] or f"Missing artwork {now:%Y-%m-%d %H:%M:%S}"
        run = start_run(plan, name=name, reason="", by="command", now=now)
        self.stdout.write(f"Run {run.name}: {len(plan.requests)} requests written.")
        if plan.requests and not options["no_wait"]:
            self._watch(run)

    def _show_plan(self, plan: FetchPlan) -> None:
        self.stdout.write(
            f"{plan.songs_found} songs without a picture: {len(plan.requests)} with a known address,"
            f" {len(plan.host_not_allowed)} on hosts not on the list of sources, {len(plan.without_url)} with none."
        )
        for pattern, count in plan.requests_by_source.most_common():
            self.stdout.write(f"  {count} from {pattern}")
        for name, host in plan.host_not_allowed[:_SHOWN]:
            self.stdout.write(self.style.WARNING(f"  {name}: {host} is not on the list of sources"))
        if plan.requests:
            self.stdout.write(f"At the pace of the sources this takes about {plan.duration}.")

    def _watch(self, run: ArtworkRun) -> None:
        total = run.artworks.count()
        done, told = 0, ""
        try:
            with progress_bar(run.name, total) as on_progress:
                while done < total:
                    metrics = cohort_metrics(run)
                    on_progress(metrics["done"] - done)
                    done = metrics["done"]
                    run.refresh_from_db(fields=["paused_at"])
                    waits = run_wait_reason(run, timezone.now())
                    if waits and waits != told:
                        self.stdout.write(f"Waiting: {waits}")
                    told = waits
                    if done < total:
                        time.sleep(_LOOK_SECONDS)
        except KeyboardInterrupt:
            self.stdout.write(f'Watching stopped; the queue goes on. `--pause "{run.name}"` holds it.')
        metrics = cohort_metrics(run)
        states = ", ".join(f"{count} {status}" for status, count in sorted(metrics["by_status"].items()))
        self.stdout.write(f"Run {run.name}: {metrics['done']} of {metrics['asked']} done ({states}).")

    def _status(self) -> None:
        metrics = pipeline_metrics(timezone.now())
        success, queue = metrics["success"], metrics["queue"]
        rate = "none ended" if success["rate"] is None else f"{success['rate']:.1%} of {success['ended']}"
        self.stdout.write(f"Stored in {metrics['window_days']} days: {rate} (goal over {success['goal']:.0%}).")
        self.stdout.write(
            f"Queue: {queue['waiting']} waiting, {queue['running']} running, oldest {queue['oldest_seconds']} s."
        )
        for cause in metrics["causes"]:
            self.stdout.write(f"  {cause['count']} {cause['status']} {cause['error_code']} {cause['source_host']}")
        for source in metrics["sources"]:
            self.stdout.write(f"  source {source['host']}: breaker {source['breaker']}")
        for cohort in metrics["cohorts"]:
            self.stdout.write(
                f"  run {cohort['name']}: {cohort['with_picture']} of {cohort['songs']} songs have a picture,"
                f" {cohort['stored']} stored of {cohort['asked']} asked, {cohort['never_asked']} never asked for"
            )

    def _steer(self, options: dict[str, Any]) -> None:
        action = next(action for action in ("pause", "resume", "cancel") if options[action])
        run = ArtworkRun.objects.filter(name=options[action]).first()
        if run is None:
            raise CommandError(f"there is no run named {options[action]}")
        if action == "pause":
            pause_run(run.pk, now=timezone.now())
            self.stdout.write(f"Run {run.name} is paused.")
        elif action == "resume":
            resume_run(run.pk)
            self.stdout.write(f"Run {run.name} goes on.")
        else:
            self.stdout.write(f"{cancel_run(run.pk, by='command', now=timezone.now())} requests cancelled.")
