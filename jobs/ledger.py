"""Write values and record the previous ones in one statement; restore them where the written value is unchanged."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from jobs.json_casts import from_json, quote, to_json_text
from jobs.operations import Change

MIN_PK = -(2**63)


@dataclass(frozen=True)
class Ledger:
    """The values that run `run_pk` wrote to `target`, each with the value before, as rows of `change_model`.

    For a field in `origin_columns`, the column named there is set to `origin` together with the value. A value whose
    origin column has changed since belongs to a user and is not restored.
    """

    change_model: Any
    run_pk: int
    target: Any
    origin_columns: Mapping[str, str]
    origin: str

    def write(self, changes: Sequence[Change]) -> int:
        """Write changes of rows that the caller has locked, and return the number of rows."""
        by_fields: dict[tuple[str, ...], list[Change]] = defaultdict(list)
        for change in changes:
            by_fields[tuple(sorted(change.values))].append(change)
        return sum(self._write_columns(fields, some) for fields, some in by_fields.items())

    def record(self, field: str, values: Mapping[int, Any]) -> int:
        """Record values by key that the caller has written by other means."""
        change = self.change_model
        change.objects.bulk_create(
            change(run_id=self.run_pk, row_pk=pk, field=field, after=value) for pk, value in values.items()
        )
        return len(values)

    def restore(self, fields: Sequence[str], *, after_pk: int, to_pk: int) -> Counter[str]:
        """Restore rows in (after_pk, to_pk] and count their values: restored, conflict, gone."""
        outcomes: Counter[str] = Counter()
        for field in fields:
            outcomes += self._restore_column(field, after_pk=after_pk, to_pk=to_pk)
        return outcomes

    def undo_recorded(
        self, undo: Callable[[list[tuple[int, Any]]], Mapping[int, bool]], *, after_pk: int, to_pk: int
    ) -> Counter[str]:
        """Pass recorded (pk, value) pairs to `undo`, which returns by key whether it succeeded; False is a conflict."""
        pending = self._pending().filter(row_pk__gt=after_pk, row_pk__lte=to_pk)
        pairs = list(pending.values_list("row_pk", "after"))
        restored = [pk for pk, succeeded in undo(pairs).items() if succeeded]
        pending.filter(row_pk__in=restored).update(outcome="restored")
        pending.update(outcome="conflict")
        return Counter(restored=len(restored), conflict=len(pairs) - len(restored))

    def preview_undo(self, fields: Sequence[str]) -> Counter[str]:
        """Count what `restore` would return for all rows now. Writes nothing."""
        meta, ledger = self.target._meta, quote(self.change_model._meta.db_table)
        table, key = quote(meta.db_table), quote(meta.pk.column)
        outcomes: Counter[str] = Counter()
        for field in fields:
            column = quote(meta.get_field(field).column)
            origins = "".join(f" AND t.{quote(name)} = %s" for name in self._origins([field]))
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT CASE WHEN t.{key} IS NULL THEN 'gone'"  # noqa: S608
                    f" WHEN to_jsonb(t.{column}) IS NOT DISTINCT FROM c.after{origins} THEN 'restored'"
                    f" ELSE 'conflict' END, count(*) FROM {ledger} c LEFT JOIN {table} t ON t.{key} = c.row_pk"
                    " WHERE c.run_id = %s AND c.field = %s AND c.outcome = '' GROUP BY 1",
                    [*(self.origin for _ in self._origins([field])), self.run_pk, field],
                )
                outcomes += Counter(dict(cursor.fetchall()))
        return outcomes

    def preview_undo_recorded(self) -> Counter[str]:
        return Counter(restored=self._pending().count())

    def _pending(self) -> Any:
        return self.change_model.objects.filter(run_id=self.run_pk, outcome="")

    def _origins(self, fields: Sequence[str]) -> list[str]:
        columns = self.origin_columns
        return [self.target._meta.get_field(columns[field]).column for field in fields if field in columns]

    def _write_columns(self, fields: tuple[str, ...], changes: Sequence[Change]) -> int:
        # For one varchar column with an origin column the statement reads:
        #   WITH given AS (SELECT pk, v0::jsonb AS v0 FROM unnest(%s::bigint[], %s::text[]) AS g(pk, v0)),
        #   written AS (UPDATE assets_asset AS t
        #       SET creator_description = (given.v0 #>> '{}'), creator_description_origin = %s
        #       FROM given WHERE t.id = given.pk RETURNING given.pk,
        #       to_jsonb(old.creator_description) AS b0, to_jsonb(new.creator_description) AS a0)
        #   INSERT INTO backfills_backfillchange (run_id, row_pk, field, before, after, outcome)
        #   SELECT %s, written.pk, f.field, f.before, f.after, '' FROM written,
        #       LATERAL (VALUES (%s, b0, a0)) AS f(field, before, after)
        meta, ledger = self.target._meta, quote(self.change_model._meta.db_table)
        columns = [(i, quote(field.column), field) for i, field in enumerate(map(meta.get_field, fields))]
        origins = self._origins(fields)
        sets = [f"{column} = {from_json(f'given.v{i}', field)}" for i, column, field in columns]
        sets += [f"{quote(column)} = %s" for column in origins]
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
                    *(self.origin for _ in origins),
                    self.run_pk,
                    *fields,
                ],
            )
            return cursor.rowcount // len(fields)

    def _restore_column(self, field: str, *, after_pk: int, to_pk: int) -> Counter[str]:
        # `due` are the ledger rows to undo, `restored` those whose column still has the written value; the second
        # UPDATE stores the outcome of each in the ledger.
        meta, ledger = self.target._meta, quote(self.change_model._meta.db_table)
        column, table, key = quote(meta.get_field(field).column), quote(meta.db_table), quote(meta.pk.column)
        origins = [quote(name) for name in self._origins([field])]
        sets = [f"{column} = {from_json('due.before', meta.get_field(field))}", *(f"{name} = ''" for name in origins)]
        same = [f"to_jsonb(t.{column}) IS NOT DISTINCT FROM due.after", *(f"t.{name} = %s" for name in origins)]
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH due AS (SELECT id, row_pk, before, after FROM {ledger} WHERE run_id = %s AND field = %s"  # noqa: S608
                " AND row_pk > %s AND row_pk <= %s AND outcome = ''),"
                f" restored AS (UPDATE {table} AS t SET {', '.join(sets)} FROM due"
                f" WHERE t.{key} = due.row_pk AND {' AND '.join(same)} RETURNING due.id),"
                f" updated AS (UPDATE {ledger} AS c SET outcome = CASE WHEN restored.id IS NOT NULL THEN 'restored'"
                " WHEN t.row_exists THEN 'conflict' ELSE 'gone' END FROM due LEFT JOIN restored USING (id)"
                f" LEFT JOIN LATERAL (SELECT true AS row_exists FROM {table} WHERE {key} = due.row_pk) AS t ON true"
                " WHERE c.id = due.id RETURNING c.outcome)"
                " SELECT outcome, count(*) FROM updated GROUP BY outcome",
                [self.run_pk, field, after_pk, to_pk, *(self.origin for _ in origins)],
            )
            return Counter(dict(cursor.fetchall()))
