"""Rules: which rows a backfill selects and which values it computes. Pure; apps register their rules in `apps.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from backfills.errors import RuleNotFound
from common.errors import InvalidInput

Row = Mapping[str, Any]
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Skip:
    """The row keeps its values. Rows are counted by reason."""

    reason: str


class Rule:
    """How the rows of one model get their values.

    `fields` are the columns the rule may write; `compute_values` gets them and `reads`. For a field in
    `origin_columns`, the column named there is set to ORIGIN together with the value, so that readers can tell it from
    a user's value; an edit by a user clears it. `group_field` and `label_field` are shown in plans and lists.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    title: ClassVar[str]
    model_label: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]
    reads: ClassVar[tuple[str, ...]] = ()
    origin_columns: ClassVar[Mapping[str, str]] = {}
    group_field: ClassVar[str] = ""
    label_field: ClassVar[str] = ""

    @property
    def columns_read(self) -> tuple[str, ...]:
        names = ("pk", *self.fields, *self.reads, self.group_field, self.label_field)
        return tuple(dict.fromkeys(name for name in names if name))

    def clean_parameters(self, given: Parameters) -> dict[str, Any]:
        """Return the parameters with defaults. Raises InvalidInput naming an unknown or invalid parameter."""
        for name in given:
            raise InvalidInput(f"{self.name} has no parameter {name}", field=name)
        return {}

    def filter_queryset(self, rows: Any, parameters: Parameters) -> Any:
        """Narrow the queryset `rows` to rows that need a value. The model may be historical, without own methods."""
        raise NotImplementedError

    def compute_values(self, row: Row, parameters: Parameters) -> dict[str, Any] | Skip:
        """Return new values by field. An exception becomes the row's error; the run continues."""
        raise NotImplementedError


class ActionRule(Rule):
    """A rule that creates something for a row instead of writing a column.

    Its only field names the created thing. `after` in the ledger is the JSON value that `perform` returned.
    """

    @property
    def columns_read(self) -> tuple[str, ...]:
        return tuple(name for name in super().columns_read if name not in self.fields)

    def record_start(self, rows: Any, *, run_pk: int) -> None:
        """Record what the rule must know of the selected rows, a queryset, when the run starts."""
        return

    def perform(self, rows: Sequence[tuple[int, Any]], *, run_pk: int, by: str, now: datetime) -> dict[int, Any]:
        """Perform the action for (pk, computed value) pairs and return results by pk, in the batch's transaction."""
        raise NotImplementedError

    def pending_reason(self, *, run_pk: int) -> str:
        """Return what the run still waits for after its last row; "" if nothing. A pause also applies to this wait."""
        return ""

    def undo(self, made: Sequence[tuple[int, Any]], *, by: str, now: datetime) -> dict[int, bool]:
        """Undo (pk, result of `perform`) pairs and return by pk whether it succeeded. False is a conflict."""
        raise NotImplementedError


ORIGIN = "backfill"  # value of an origin column
_rules: dict[str, Rule] = {}


def register_rule(rule: Rule) -> None:
    _rules[rule.name] = rule


def get_rule(name: str) -> Rule:
    try:
        return _rules[name]
    except KeyError:
        known = ", ".join(sorted(_rules)) or "none"
        raise RuleNotFound(f"There is no rule {name!r}. Registered rules: {known}") from None


def all_rules() -> list[Rule]:
    return [_rules[name] for name in sorted(_rules)]
