"""Apply a rule to rows that are read already."""

import logging
from collections.abc import Iterable

from backfills.rules import Parameters, Row, Rule, Skip
from jobs.operations import Change, Evaluation

log = logging.getLogger(__name__)

UNCHANGED = "unchanged"


def evaluate_rule(rule: Rule, rows: Iterable[Row], parameters: Parameters) -> Evaluation:
    evaluation = Evaluation()
    for row in rows:
        try:
            computed = rule.compute_values(row, parameters)
        except Exception as error:
            # One row with an error must not stop the others.
            log.warning("backfill rule failed", extra={"rule": rule.name, "row": row["pk"]}, exc_info=True)
            evaluation.errors.append((row["pk"], f"{type(error).__name__}: {error}"))
            continue
        if isinstance(computed, Skip):
            evaluation.skipped[computed.reason] += 1
        elif unknown := set(computed) - set(rule.fields):
            message = f"the rule must not write {', '.join(sorted(unknown))}"
            evaluation.errors.append((row["pk"], message))
        elif values := {name: value for name, value in computed.items() if name not in row or row[name] != value}:
            evaluation.changes.append(Change(row["pk"], values))
        else:
            evaluation.skipped[UNCHANGED] += 1
    return evaluation


def row_label(rule: Rule, row: Row) -> str:
    return str(row.get(rule.label_field) or row["pk"])[:200]
