"""Runs that request missing artwork: backfill runs of the rule `albumart.legacy_songs`, found by their name."""

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction

from albumart.backfill_rules import LEGACY_SONGS
from albumart.dispatch import reject_requests_of_cancelled_runs
from albumart.missing_artwork import FetchPlan
from albumart.models import ArtworkCohort
from backfills import queueing, run_control
from backfills.engine.run_setup import create_run_context
from common.errors import Conflict, NotFound

_DEFAULT_REASON = "Request missing artwork"


def start_run(plan: FetchPlan, *, name: str, reason: str, by: str, now: datetime) -> ArtworkCohort:
    """Start a run for the plan in this process; workers write its requests.

    Raises Conflict if the name is taken, NoMatchingRows if the plan is empty, ColumnLocked while another run is active.
    """
    with transaction.atomic():
        cohort = _create_run(plan.parameters, name=name, reason=reason, by=by, now=now)
        queueing.start_here(cohort.run_id, by=by, now=now)
    return cohort


@transaction.atomic
def request_run(plan: FetchPlan, *, name: str, reason: str, by: str, now: datetime) -> ArtworkCohort:
    """Let a worker start a run like that of the plan. Raises Conflict if the name is taken."""
    cohort = _create_run(plan.parameters, name=name, reason=reason, by=by, now=now)
    queueing.start(cohort.run_id, by=by, now=now, plan_hash=None)
    return cohort


def _create_run(parameters: dict[str, Any], *, name: str, reason: str, by: str, now: datetime) -> ArtworkCohort:
    if ArtworkCohort.objects.filter(name=name).exists():
        raise Conflict(f"there is a run named {name} already", field="name")
    context = create_run_context(
        LEGACY_SONGS,
        apps,
        parameters={**parameters, "name": name},
        by=by,
        reason=reason or _DEFAULT_REASON,
        now=now,
    )
    return ArtworkCohort.objects.create(name=name, run_id=context.run_pk)


def find_cohort(name: str) -> ArtworkCohort:
    """Raises NotFound."""
    cohort = ArtworkCohort.objects.select_related("run").filter(name=name).first()
    if cohort is None:
        raise NotFound(f"there is no run named {name}")
    return cohort


def pause_run(name: str, *, by: str, now: datetime) -> None:
    """Stop the run and hold its pending requests. Raises TransitionNotAllowed if the run is over."""
    run_control.pause(find_cohort(name).run_id, by=by, now=now)


def resume_run(name: str, *, by: str, now: datetime) -> None:
    queueing.resume(find_cohort(name).run_id, by=by, now=now)


def cancel_run(name: str, *, by: str, now: datetime) -> int:
    """Stop the run for good and reject its pending requests. Return how many were rejected.

    If a worker is writing requests at this moment, they are rejected by the next `dispatch_due_artworks`.
    """
    run_control.cancel(find_cohort(name).run_id, by=by, now=now)
    return reject_requests_of_cancelled_runs(now)
