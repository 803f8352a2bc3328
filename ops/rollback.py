"""The emergency rollback of a release: an ordered list of steps, each of which says what it did.

A new step is a function from the wish to an outcome, and a line in STEPS. Steps change what an emergency must change
and nothing else: columns stay, and so does all that was sent.
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
    """`by` is None for the system. Flags in `kept` stay as they are."""

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
    """What a step did, in lines for a person. What is not fine ends the rollback there."""

    lines: Sequence[str]
    succeeded: bool = True


class Step(NamedTuple):
    name: str
    run: Callable[[RollbackPlan], StepResult]


@dataclass(frozen=True)
class StepRecord:
    """`outcome` is None for a step that was not reached."""

    step: Step
    outcome: StepResult | None
    seconds: float

    @property
    def succeeded(self) -> bool:
        return self.outcome is not None and self.outcome.succeeded


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
    """The wish, checked before anything is touched. Without `only`, every flag is meant.

    Raises Invalid for an unknown flag, a bad reason, somebody who is switched off, or when no flag is left.
    """
    for name in (*only, *keep):
        validate_name(name)
    if by is not None and not by.is_active:
        raise InvalidInput(f"{by.email} is deactivated and asks for nothing", field="by")
    names = frozenset(only or FLAG_NAMES) - frozenset(keep)
    if not names:
        raise InvalidInput("every flag is kept, so nothing is left to switch off", field="keep")
    return RollbackPlan(clean_reason(reason), by, names, now, is_dry_run, undoes_backfills)


def list_flags_on(plan: RollbackPlan) -> StepResult:
    words = {name: describe_state(state) for name, state in flags_on().items()}
    kept = {name: " (is kept)" for name in words if name in plan.kept}
    return StepResult(
        [f"{name}: {text}{kept.get(name, '')}" for name, text in words.items()] or ["all are off already"]
    )


def switch_flags_off(plan: RollbackPlan) -> StepResult:
    if plan.is_dry_run:
        return StepResult(
            [f"{name} would go off" for name in flags_on() if name in plan.names] or ["nothing would change"]
        )
    changes = switch_off(plan.names, by=plan.by, reason=plan.reason, now=plan.now)
    who = plan.by.email if plan.by else "the system"
    return StepResult(
        [f"{change.flag_name}: {describe_state(change.before)} -> off" for change in changes]
        + ([f"recorded as changes by {who}: {plan.reason}"] if changes else ["nothing had to be switched"])
    )


def check_answers(plan: RollbackPlan) -> StepResult:
    """The doors answer from here on as they did before the gated fields existed."""
    # Any person's answers would do; an operator is the one who expects to be named.
    person = plan.by or User.objects.filter(is_active=True).order_by("-is_superuser", "role", "pk").first()
    if person is None:
        return StepResult(["there is no active person in whose name the doors could be asked"], succeeded=False)
    try:
        found = check_contract(person=person, kept=plan.kept, contracts=settings.BASE_DIR / "contracts", now=plan.now)
    except NotFound as error:
        return StepResult([error.message], succeeded=False)
    return StepResult([*_account(found), *_verdict(found, plan)], succeeded=plan.is_dry_run or not found.differences)


def undo_backfills(plan: RollbackPlan) -> StepResult:
    """Only where it was asked for: with the flags off nobody sees the values, and to undo can wait."""
    runs = BackfillRun.objects.with_applied_changes()
    if not plan.undoes_backfills:
        return StepResult([f"not asked for (--undo-backfills); {runs.count()} runs have values in the table"])
    lines: list[str] = []
    for run in runs:  # the newest first
        if plan.is_dry_run:
            found = preview_undo(context_for_run(run))
            left = found["conflict"] + found["gone"]
            lines.append(f"{run}: {found['restored']} values would be put back, {left} would stay as conflicts")
            continue
        try:
            done = undo_in_foreground(run.pk, by=plan.by.email if plan.by else "rollback", clock=timezone.now)
        except RegistryError as error:
            return StepResult([*lines, f"{run}: {error.message}"], succeeded=False)
        lines.append(f"{run}: {done.state}, {done.restored_rows} values put back, {done.conflict_rows} conflicts")
        for change in done.changes.conflicts()[:_SHOWN_CONFLICTS]:
            lines.append(f"  {change.field} of row {change.row_pk}: {change.outcome}, left as it is")
    return StepResult(lines or ["no run has values in the table"])


STEPS: tuple[Step, ...] = (
    Step("Which flags are on, and for whom", list_flags_on),
    Step("Switch them off", switch_flags_off),
    Step("Compare what is answered with what was recorded", check_answers),
    # Behind the flags: nobody sees a value while it goes.
    Step("Undo the backfills", undo_backfills),
)


def execute_rollback(plan: RollbackPlan, steps: Sequence[Step] = STEPS) -> Iterator[StepRecord]:
    """Do one step after the other; a step that is not fine leaves those behind it undone."""
    succeeded = True
    for step in steps:
        started = time.perf_counter()
        outcome = step.run(plan) if succeeded else None
        report = StepRecord(step, outcome, time.perf_counter() - started)
        succeeded = report.succeeded
        yield report


def _account(found: ContractReport) -> list[str]:
    asked = ", ".join(f"{count} {sort}" for sort, count in found.counts.items())
    lines = [
        f"asked as {found.person} and as {found.service}: {asked}",
        f"assets of all layers in the sample: {found.asset_count}, with gated values: {found.filled_count}",
        "compared: the keys at each level with contracts/recordings, every byte with what is written without the flags",
    ]
    if not found.filled_count:
        lines.append("no asset of the sample holds a gated value, so this shows little")
    return lines


def _verdict(found: ContractReport, plan: RollbackPlan) -> list[str]:
    kept = f" (but for what {', '.join(sorted(plan.kept))} may show)" if plan.kept else ""
    if not found.differences:
        return [f"all {found.question_count} answers are the recorded ones{kept}"]
    by_difference: dict[str, list[str]] = {}
    for question, difference in found.differences:
        by_difference.setdefault(difference, []).append(question)
    first = list(by_difference.items())[:_MAX_SHOWN_ERRORS]
    count = f"{len(found.differences)} of {found.question_count} answers"
    return [
        f"{count} {'would become' if plan.is_dry_run else 'are not'} the recorded ones{kept}",
        *(f"{len(questions)} x {difference}, such as {questions[0]}" for difference, questions in first),
    ]
