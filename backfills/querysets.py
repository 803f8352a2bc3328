"""Querysets of backfill runs."""

from typing import Self

from jobs.querysets import RunQuerySet


class BackfillRunQuerySet(RunQuerySet):
    def for_rule(self, rule_name: str) -> Self:
        return self.filter(rule_name=rule_name)
