"""The emergency rollback of a release: steps that run in order and return lines of output.

A step is a function from a plan to a result; STEPS lists them. Steps turn flags off and undo backfills; columns
and the values that clients sent are kept.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from backfills.engine.ledger import preview_undo
from backfills.engine.run_context import context_for_run
from backfills.foreground import undo_in_foreground
from backfills.models import BackfillRun
from common.errors import InvalidInput, NotFound, RegistryError
from flags.audit import describe_state
from flags.editing import clean_reason, validate_name
from flags.registry import FLAG_NAMES
from flags.rollout import flags_on, switch_off
from ops.contract_check import ContractReport, check_contract

_MAX_SHOWN_ERRORS = 10
_SHOWN_CONFLICTS = 20


@dataclass(frozen=True)
class RollbackPlan:
    """`by` is None for the system. Flags in `kept` are not changed."""

    reason: str
    by: User | None
    names: frozenset[str]
    now: datetime
    is_dry_run: bool = False
    undoes_backfills: bool = False

    @property
    def kept(self) -> frozenset[str]:
        return FLAG_NAMES - self.names


@dataclass(frozen=True)
class StepResult:
    """Output lines of a step. If it did not succeed, the following steps are skipped."""

    lines: Sequence[str]
    succeeded: bool = True


class Step(NamedTuple):
    name: str
    run: Callable[[RollbackPlan], StepResult]


@dataclass(frozen=True)
class StepRecord:
    """`result` is None for a skipped step."""

    step: Step
    result: StepResult | None
    seconds: float

    @property
    def succeeded(self) -> bool:
        return self.result is not None and self.result.succeeded


def plan_rollback(
    *,
    reason: str,
    by: User | None,
    now: datetime,
    only: Collection[str] = (),
    keep: Collection[str] = (),
    is_dry_run: bool = False,
    undoes_backfills: bool = False,
) -> RollbackPlan:
    """Validate the arguments and return the plan. Without `only` it contains every flag.

    Raises InvalidInput for an unknown flag, a bad reason, an inactive user, or if no flag remains.
    """
    for name in (*only, *keep):
        validate_name(name)
    if by is not None and not by.is_active:
        raise InvalidInput(f"{by.email} is inactive. Name an active user with --by.", field="by")
    names = frozenset(only or FLAG_NAMES) - frozenset(keep)
    if not names:
        raise InvalidInput("All flags are excluded. Leave at least one flag to turn off.", field="keep")
    return RollbackPlan(clean_reason(reason), by, names, now, is_dry_run, undoes_backfills)


def list_flags_on(plan: RollbackPlan) -> StepResult:
    lines = [
        f"{name}: {describe_state(state)}{' (not changed)' if name in plan.kept else ''}"
        for name, state in flags_on().items()
    ]
    return StepResult(lines or ["all flags are off"])


def turn_flags_off(plan: RollbackPlan) -> StepResult:
    if plan.is_dry_run:
        lines = [f"{name} would be turned off" for name in flags_on() if name in plan.names]
        return StepResult(lines or ["nothing would change"])
    changes = switch_off(plan.names, by=plan.by, reason=plan.reason, now=plan.now)
    author = plan.by.email if plan.by else "the system"
    return StepResult(
        [f"{change.flag_name}: {describe_state(change.before)} -> off" for change in changes]
        + ([f"recorded as changes by {author}: {plan.reason}"] if changes else ["no flag had to be changed"])
    )


def check_responses(plan: RollbackPlan) -> StepResult:
    """Check that the API responds as before the gated fields existed."""
    # The responses are the same for every user; the operator is preferred, because the report names the user.
    user = plan.by or User.objects.filter(is_active=True).order_by("-is_superuser", "role", "pk").first()
    if user is None:
        return StepResult(["there is no active user for the requests"], succeeded=False)
    try:
        report = check_contract(user=user, kept=plan.kept, contracts=settings.BASE_DIR / "contracts", now=plan.now)
    except NotFound as error:
        return StepResult([error.message], succeeded=False)
    return StepResult(
        [*_describe_sample(report), *_describe_differences(report, plan)],
        succeeded=plan.is_dry_run or not report.differences,
    )


def undo_backfills(plan: RollbackPlan) -> StepResult:
    """Undo the backfills if the plan contains it. It is not urgent: with the flags off no client sees the values."""
    runs = BackfillRun.objects.with_applied_changes()
    if not plan.undoes_backfills:
        return StepResult([f"skipped without --undo-backfills; {runs.count()} runs have values in the table"])
    lines: list[str] = []
    for run in runs:  # the newest first
        if plan.is_dry_run:
            counts = preview_undo(context_for_run(run))
            conflicts = counts["conflict"] + counts["gone"]
            lines.append(f"{run}: {counts['restored']} values would be restored, {conflicts} would stay as conflicts")
            continue
        try:
            done = undo_in_foreground(run.pk, by=plan.by.email if plan.by else "rollback", clock=timezone.now)
        except RegistryError as error:
            return StepResult([*lines, f"{run}: {error.message}"], succeeded=False)
        lines.append(f"{run}: {done.state}, {done.restored_rows} values restored, {done.conflict_rows} conflicts")
        for change in done.changes.conflicts()[:_SHOWN_CONFLICTS]:
            lines.append(f"  {change.field} of row {change.row_pk}: {change.outcome}, not changed")
    return StepResult(lines or ["no run has values in the table"])


STEPS: tuple[Step, ...] = (
    Step("List the enabled flags", list_flags_on),
    Step("Turn them off", turn_flags_off),
    Step("Compare responses with the recordings", check_responses),
    # After the flags, so that no client sees values disappear one by one.
    Step("Undo the backfills", undo_backfills),
)


def execute_rollback(plan: RollbackPlan, steps: Sequence[Step] = STEPS) -> Iterator[StepRecord]:
    """Run the steps in order. After a step that did not succeed, the others are skipped."""
    succeeded = True
    for step in steps:
        started = time.perf_counter()
        result = step.run(plan) if succeeded else None
        record = StepRecord(step, result, time.perf_counter() - started)
        succeeded = record.succeeded
        yield record


def _describe_sample(report: ContractReport) -> list[str]:
    requests = ", ".join(f"{count} {group}" for group, count in report.counts.items())
    lines = [
        f"requests as {report.user} and as {report.service}: {requests}",
        f"assets of all layers in the sample: {report.asset_count}, with gated values: {report.filled_count}",
        "compared: the keys of each object with contracts/recordings, every byte with the response without flags",
    ]
    if not report.filled_count:
        lines.append("no asset of the sample has a gated value, so this check proves little")
    return lines


def _describe_differences(report: ContractReport, plan: RollbackPlan) -> list[str]:
    kept = f" (except fields of {', '.join(sorted(plan.kept))})" if plan.kept else ""
    if not report.differences:
        return [f"all {report.request_count} responses equal the recordings{kept}"]
    by_difference: dict[str, list[str]] = {}
    for request, difference in report.differences:
        by_difference.setdefault(difference, []).append(request)
    first = list(by_difference.items())[:_MAX_SHOWN_ERRORS]
    count = f"{len(report.differences)} of {report.request_count} responses"
    return [
        f"{count} {'would change back to' if plan.is_dry_run else 'differ from'} the recordings{kept}",
        *(f"{len(requests)} x {difference}, e.g. {requests[0]}" for difference, requests in first),
    ]
