"""What a backfill does to one row, and which rules there are. Rules are pure; apps register theirs in `apps.py`."""

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
    """The row stays as it is, and why; the reasons are counted."""

    reason: str


class Rule:
    """How the rows of one model get their values.

    `fields` are the columns it may write, `reads` what `apply` is given beside them. For a field in `origin_columns`
    the column named there gets ORIGIN with the value, so that readers can tell it from a person's; where it has that
    mark no longer, somebody has made the value theirs. `group_field` and `label_field` are for people to read.
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
        wanted = ("pk", *self.fields, *self.reads, self.group_field, self.label_field)
        return tuple(dict.fromkeys(name for name in wanted if name))

    def clean_parameters(self, given: Parameters) -> dict[str, Any]:
        """The parameters with their defaults. Raises Invalid naming one that is unknown or wrong."""
        for name in given:
            raise InvalidInput(f"{self.name} takes no parameter {name}", field=name)
        return {}

    def filter_queryset(self, rows: Any, parameters: Parameters) -> Any:
        """Of the queryset `rows` those that need a value. The model may be a historical one: no methods of its own."""
        raise NotImplementedError

    def compute_values(self, row: Row, parameters: Parameters) -> dict[str, Any] | Skip:
        """New values by field. What it raises parks the row."""
        raise NotImplementedError


class ActionRule(Rule):
    """A rule whose change is not a column of the row: it makes something for it, and knows how to take that back.

    Its one field names what is made. `after` in the ledger is what `act` gave, JSON.
    """

    @property
    def columns_read(self) -> tuple[str, ...]:
        return tuple(name for name in super().columns_read if name not in self.fields)

    def perform(self, rows: Sequence[tuple[int, Any]], *, run_pk: int, by: str, now: datetime) -> dict[int, Any]:
        """Do it for (pk, wanted value) pairs; what was made by pk. Runs in the batch's transaction."""
        raise NotImplementedError

    def undo(self, made: Sequence[tuple[int, Any]], *, by: str, now: datetime) -> dict[int, bool]:
        """For (pk, what `act` gave): whether it could be taken back. False is a conflict."""
        raise NotImplementedError


ORIGIN = "backfill"  # what is written to an origin column
_rules: dict[str, Rule] = {}


def register_rule(rule: Rule) -> None:
    _rules[rule.name] = rule


def get_rule(name: str) -> Rule:
    try:
        return _rules[name]
    except KeyError:
        raise RuleNotFound(f"There is no rule {name!r}; there are {', '.join(sorted(_rules)) or 'none'}") from None


def all_rules() -> list[Rule]:
    return [_rules[name] for name in sorted(_rules)]
