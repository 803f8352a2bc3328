"""Write values and what they replaced in one statement; take them back where they still are what was written."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from backfills.engine.bisection import bisect_failures
from backfills.engine.json_casts import from_json, quote, to_json_text
from backfills.engine.run_context import RunContext
from backfills.rules import ORIGIN, ActionRule

MIN_PK = -(2**63)


class Change(NamedTuple):
    pk: int
    values: dict[str, Any]


def write_changes(job: RunContext, changes: Sequence[Change], *, by: str, now: datetime) -> int:
    """Rows written. Their rows are locked by the caller."""
    if isinstance(job.rule, ActionRule):
        return _perform(job, job.rule, changes, by=by, now=now)
    alike: dict[tuple[str, ...], list[Change]] = defaultdict(list)
    for change in changes:
        alike[tuple(sorted(change.values))].append(change)
    return sum(_write_columns(job, fields, some) for fields, some in alike.items())


def write_collecting_errors(job: RunContext, changes: Sequence[Change], *, by: str, now: datetime) -> dict[int, str]:
    """Write what the database takes; why it refused the rest, by key."""
    refused = bisect_failures(changes, lambda some: write_changes(job, some, by=by, now=now))
    return {change.pk: reason for change, reason in refused}


def _write_columns(job: RunContext, fields: tuple[str, ...], changes: Sequence[Change]) -> int:
    meta, ledger = job.model._meta, quote(job.tables.change._meta.db_table)
    columns = [(i, quote(field.column), field) for i, field in enumerate(map(meta.get_field, fields))]
    sets = [f"{column} = {from_json(f'given.v{i}', field)}" for i, column, field in columns]
    sets += [f"{quote(column)} = '{ORIGIN}'" for column in _origins(job, fields)]
    before_and_after = ", ".join(f"to_jsonb(old.{c}) AS b{i}, to_jsonb(new.{c}) AS a{i}" for i, c, _ in columns)
    as_json = ", ".join(f"v{i}::jsonb AS v{i}" for i, _, _ in columns)
    texts, names = ", ".join("%s::text[]" for _ in columns), ", ".join(f"v{i}" for i, _, _ in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH given AS (SELECT pk, {as_json} FROM unnest(%s::bigint[], {texts}) AS g(pk, {names})),"  # noqa: S608
            f" written AS (UPDATE {quote(meta.db_table)} AS t SET {', '.join(sets)} FROM given"
            f" WHERE t.{quote(meta.pk.column)} = given.pk RETURNING given.pk, {before_and_after})"
            f" INSERT INTO {ledger} (run_id, row_pk, field, before, after, outcome)"
            " SELECT %s, written.pk, f.field, f.before, f.after, '' FROM written,"
            f" LATERAL (VALUES {', '.join(f'(%s, b{i}, a{i})' for i, _, _ in columns)}) AS f(field, before, after)",
            [
                [change.pk for change in changes],
                *([to_json_text(change.values[field]) for change in changes] for field in fields),
                job.run_pk,
                *fields,
            ],
        )
        return cursor.rowcount // len(fields)


def _origins(job: RunContext, fields: Sequence[str]) -> list[str]:
    marks = job.rule.origin_columns
    return [job.model._meta.get_field(marks[field]).column for field in fields if field in marks]


def _perform(job: RunContext, rule: ActionRule, changes: Sequence[Change], *, by: str, now: datetime) -> int:
    [field] = rule.fields
    made = rule.perform([(change.pk, change.values[field]) for change in changes], run_pk=job.run_pk, by=by, now=now)
    change = job.tables.change
    change.objects.bulk_create(
        change(run_id=job.run_pk, row_pk=pk, field=field, after=value) for pk, value in made.items()
    )
    return len(made)


def restore_changes(job: RunContext, *, after_pk: int, to_pk: int, by: str, now: datetime) -> Counter[str]:
    """Outcomes of the values of rows in (after_pk, to_pk]: restored, conflict, gone."""
    if isinstance(job.rule, ActionRule):
        return _undo(job, job.rule, after_pk=after_pk, to_pk=to_pk, by=by, now=now)
    outcomes: Counter[str] = Counter()
    for field in job.rule.fields:
        outcomes += _restore_column(job, field, after_pk=after_pk, to_pk=to_pk)
    return outcomes


def _restore_column(job: RunContext, field: str, *, after_pk: int, to_pk: int) -> Counter[str]:
    meta, ledger = job.model._meta, quote(job.tables.change._meta.db_table)
    column, table, key = quote(meta.get_field(field).column), quote(meta.db_table), quote(meta.pk.column)
    origins = [quote(name) for name in _origins(job, [field])]
    sets = [f"{column} = {from_json('due.before', meta.get_field(field))}", *(f"{name} = ''" for name in origins)]
    still = [f"to_jsonb(t.{column}) IS NOT DISTINCT FROM due.after", *(f"t.{name} = '{ORIGIN}'" for name in origins)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH due AS (SELECT id, row_pk, before, after FROM {ledger} WHERE run_id = %s AND field = %s"  # noqa: S608
            " AND row_pk > %s AND row_pk <= %s AND outcome = ''),"
            f" restored AS (UPDATE {table} AS t SET {', '.join(sets)} FROM due"
            f" WHERE t.{key} = due.row_pk AND {' AND '.join(still)} RETURNING due.id),"
            f" judged AS (UPDATE {ledger} AS c SET outcome = CASE WHEN restored.id IS NOT NULL THEN 'restored'"
            " WHEN t.is_there THEN 'conflict' ELSE 'gone' END FROM due LEFT JOIN restored USING (id)"
            f" LEFT JOIN LATERAL (SELECT true AS is_there FROM {table} WHERE {key} = due.row_pk) AS t ON true"
            " WHERE c.id = due.id RETURNING c.outcome)"
            " SELECT outcome, count(*) FROM judged GROUP BY outcome",
            [job.run_pk, field, after_pk, to_pk],
        )
        return Counter(dict(cursor.fetchall()))


def _undo(job: RunContext, rule: ActionRule, *, after_pk: int, to_pk: int, by: str, now: datetime) -> Counter[str]:
    ledger = job.tables.change.objects.filter(run_id=job.run_pk, row_pk__gt=after_pk, row_pk__lte=to_pk, outcome="")
    due = list(ledger.values_list("row_pk", "after"))
    taken = rule.undo(due, by=by, now=now)
    restored = [pk for pk, is_taken in taken.items() if is_taken]
    ledger.filter(row_pk__in=restored).update(outcome="restored")
    ledger.update(outcome="conflict")  # what is left
    return Counter(restored=len(restored), conflict=len(due) - len(restored))


def preview_undo(job: RunContext) -> Counter[str]:
    """What undoing would do now: restored, conflict, gone, in values. Changes nothing."""
    if isinstance(job.rule, ActionRule):
        return Counter(restored=job.tables.change.objects.filter(run_id=job.run_pk, outcome="").count())
    meta, ledger = job.model._meta, quote(job.tables.change._meta.db_table)
    table, key = quote(meta.db_table), quote(meta.pk.column)
    outcomes: Counter[str] = Counter()
    for field in job.rule.fields:
        column = quote(meta.get_field(field).column)
        marks = "".join(f" AND t.{quote(name)} = '{ORIGIN}'" for name in _origins(job, [field]))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT CASE WHEN t.{key} IS NULL THEN 'gone' WHEN to_jsonb(t.{column}) IS NOT DISTINCT FROM c.after"  # noqa: S608
                f"{marks} THEN 'restored' ELSE 'conflict' END, count(*) FROM {ledger} c"
                f" LEFT JOIN {table} t ON t.{key} = c.row_pk"
                " WHERE c.run_id = %s AND c.field = %s AND c.outcome = '' GROUP BY 1",
                [job.run_pk, field],
            )
            outcomes += Counter(dict(cursor.fetchall()))
    return outcomes
