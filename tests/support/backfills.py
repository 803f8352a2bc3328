"""Runs for tests: rules with replaceable results, started runs, and a hash of a table."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connection
from django.utils import timezone

from assets.models import Asset
from backfills import rules
from backfills.engine.run_setup import create_run_context, start_run
from backfills.models import BackfillRun
from backfills.rules import Rule, Skip, register_rule
from jobs.batches import BatchResult, run_next_batch
from jobs.run_context import RunContext

BY = "olga@studio.example"


class DescribeByName(Rule):
    """Writes the creator description of rows that have none; `answer` may replace the result of a row."""

    name = "tests.describe"
    title = "Describe by name"
    model_label = "assets.Asset"
    fields = ("creator_description",)
    reads = ("source",)
    group_field = "layer"
    label_field = "name"
    origin_columns = {"creator_description": "creator_description_origin"}
    answer: Callable[[rules.Row], dict[str, Any] | Skip | None] = staticmethod(lambda row: None)

    def filter_queryset(self, rows: Any, parameters: rules.Parameters) -> Any:
        return rows.filter(creator_description__isnull=True)

    def compute_values(self, row: rules.Row, parameters: rules.Parameters) -> dict[str, Any] | Skip:
        answer = self.answer(row)
        return {"creator_description": f"about {row['name']}"} if answer is None else answer


class RewriteWords(Rule):
    """Writes several columns of different types over existing values."""

    name = "tests.rewrite"
    title = "Rewrite"
    model_label = "assets.Asset"
    fields = ("description", "tags", "rights", "curated_at", "file_size")
    label_field = "name"

    def filter_queryset(self, rows: Any, parameters: rules.Parameters) -> Any:
        return rows.exclude(description__startswith="new ")

    def compute_values(self, row: rules.Row, parameters: rules.Parameters) -> dict[str, Any] | Skip:
        return {
            "description": f"new {row['description']}",
            "tags": [*row["tags"], 'quoted "tag", {braces}'],
            "rights": {"share": 0.1, "note": None, "text": 'ümlaut \\ "quote"'},
            "curated_at": timezone.now(),
            "file_size": 2**40,
        }


@contextmanager
def registered(rule: Rule) -> Iterator[Rule]:
    register_rule(rule)
    try:
        yield rule
    finally:
        rules._rules.pop(rule.name)


def started(rule: Rule, **run: Any) -> RunContext:
    defaults = {"parameters": {}, "by": BY, "reason": "a test", "now": timezone.now(), "batch_size": 10}
    context = create_run_context(rule, apps, **(defaults | run))
    start_run(context, by=BY, now=timezone.now())
    return context


def run_to_the_end(context: RunContext, *, max_batches: int = 1000) -> BatchResult:
    for _ in range(max_batches):
        result = run_next_batch(context, now=timezone.now())
        if result.is_over:
            return result
    raise AssertionError("the run does not end")


def run_of(context: RunContext) -> BackfillRun:
    return BackfillRun.objects.get(pk=context.run_pk)


def table_hash(model: Any = Asset) -> str:
    """Return the hash of every column of every row, generated columns included."""
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(model._meta.db_table)
        cursor.execute(f"SELECT md5(string_agg(md5(t::text), '' ORDER BY t.{model._meta.pk.column})) FROM {table} t")  # noqa: S608
        return cursor.fetchone()[0]
