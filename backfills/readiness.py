"""Whether other apps may rely on the values of a rule."""

from django.db.models import QuerySet

from backfills.models import BackfillRun
from backfills.rules import Rule
from jobs import states

_OPEN = states.COLUMN_LOCKING | {states.FINISHED}


def finalise_blocker(rule: Rule, legacy_rows: QuerySet) -> str | None:
    """Return why the values of `rule` are not reliable yet: a run is not finalised, or `legacy_rows` have no value.

    Return None if they are. Later rows need no run: their sender chose to leave the value out.
    """
    runs = BackfillRun.objects.for_rule(rule.name).filter(state__in=_OPEN | {states.FINALISED})
    found = dict(runs.values_list("pk", "state"))
    if open_run := next((pk for pk, state in found.items() if state in _OPEN), None):
        return f"run {open_run} of the backfill {rule.name} is {found[open_run]}; finalise it first"
    if found:
        return None
    if rule.filter_queryset(legacy_rows, rule.clean_parameters({})).exists():
        return f"legacy rows wait for the backfill {rule.name}; run and finalise it first"
    return None
