"""Look up assets by a reference: id, name, base name, stored or numeric address."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from assets.errors import AssetNotFound
from assets.models import Asset
from common.errors import InvalidInput
from common.public_ids import is_public_id
from taxonomy.addresses import parse_mfa
from taxonomy.snapshot import TaxonomySnapshot

MAX_KEY_LENGTH = 600

_BOOLEAN = BooleanField()


@dataclass(frozen=True)
class AssetReference:
    """A client's reference to an asset, in the spellings that rows are stored in."""

    text: str  # as sent, because an irregular address is stored as sent; an id is in lower case
    normalized: str  # upper case, components after `:`, no separator at the end
    is_id: bool

    @property
    def base(self) -> str:
        return self.normalized.partition(":")[0]

    def base_names(self, taxonomy: Callable[[], TaxonomySnapshot]) -> list[str]:
        """Return the name that an address means. The taxonomy is loaded only for an address."""
        with suppress(InvalidInput):  # no address, or unknown numbers: the stored forms still apply
            parse_mfa(self.base, allow_placeholder=True)
            return [taxonomy().mfa_to_hfn(self.base)]
        return []

    def condition(self, taxonomy: Callable[[], TaxonomySnapshot]) -> tuple[str, list[Any]]:
        """Return SQL and parameters for the rows that match.

        Composite names are stored with `:`. They also match with `+`, with or without a trailing separator, and by
        their base. An address matches as stored, and by the name that its numbers mean: so the regular address also
        finds a row with an irregular stored address.
        """
        if self.is_id:
            return "assets_asset.public_id = %s", [self.text]
        return _any_of(self.values_by_column(taxonomy))

    def values_by_column(self, taxonomy: Callable[[], TaxonomySnapshot]) -> dict[str, list[str]]:
        """Return the values that match, by column, the most exact first."""
        if self.is_id:
            return {"public_id": [self.text]}
        names = self.base_names(taxonomy)
        if ":" in self.normalized:
            return {"name": [self.normalized, f"{self.normalized}:"], "base_name": names}
        return {"nna_address": [self.text, self.base], "base_name": [self.base, *names]}

    def stored_forms(self, taxonomy: Callable[[], TaxonomySnapshot]) -> list[str]:
        """Return the stored spellings that match, the most exact first."""
        return [self.text] if self.is_id else [self.text, self.normalized, *self.base_names(taxonomy)]


def _any_of(values_by_column: dict[str, list[str]]) -> tuple[str, list[Any]]:
    """Return SQL for rows where a column is one of its texts; IN with distinct parameters is cheap to plan."""
    texts = {column: list(dict.fromkeys(values)) for column, values in values_by_column.items() if values}
    conditions = [f"assets_asset.{column} IN ({', '.join(['%s'] * len(values))})" for column, values in texts.items()]
    return f"({' OR '.join(conditions)})", [text for values in texts.values() for text in values]


def parse_reference(key: str) -> AssetReference | None:
    """Parse the text, or return None if it is not in the form of a name, address or id."""
    text = key.strip()
    if not text or len(text) > MAX_KEY_LENGTH or "\x00" in text:
        return None
    normalized = text.upper().replace("+", ":").rstrip(":")
    if is_public_id(text.lower()):
        return AssetReference(text.lower(), normalized, is_id=True)
    reference = AssetReference(text, normalized, is_id=False)
    return reference if reference.base.count(".") >= 3 else None


def reference_condition(key: str, taxonomy: Callable[[], TaxonomySnapshot]) -> RawSQL | None:
    """Return the filter of a queryset for rows that `key` matches; None if `key` is not a reference."""
    reference = parse_reference(key)
    if reference is None:
        return None
    return RawSQL(*reference.condition(taxonomy), output_field=_BOOLEAN)  # noqa: S611  # input is passed as parameters


def get_asset(key: str, taxonomy: TaxonomySnapshot) -> Asset:
    """Return the live asset that `key` matches. Raises AssetNotFound."""
    return Asset.objects.get(pk=get_asset_pk(key, taxonomy))


def get_asset_pk(key: str, taxonomy: TaxonomySnapshot) -> int:
    condition = reference_condition(key, lambda: taxonomy)
    found = Asset.objects.live().filter(condition).order_by() if condition is not None else Asset.objects.none()
    for pk in found.values_list("pk", flat=True)[:1]:
        return pk
    raise AssetNotFound(key)


def references_sql(keys: Sequence[str], taxonomy: Callable[[], TaxonomySnapshot]) -> tuple[str, list[Any]]:
    """Return SQL for the primary keys of the live assets that the keys match, in the order of the keys.

    A key without an asset yields no row, a repeated key repeats its row.
    """
    snapshot = cache(taxonomy)  # loaded once, and only if a key is an address
    matches: dict[str, list[tuple[int, int, str]]] = {}
    for position, key in enumerate(keys):
        if (reference := parse_reference(key)) is None:
            continue
        values = [(column, text) for column, texts in reference.values_by_column(snapshot).items() for text in texts]
        for preference, (column, text) in enumerate(dict.fromkeys(values)):
            matches.setdefault(column, []).append((position, preference, text))
    if not matches:
        return "SELECT NULL::bigint LIMIT 0", []
    found = " UNION ALL ".join(_MATCHES.format(column=column) for column in matches)
    params = [list(values) for rows in matches.values() for values in zip(*rows, strict=True)]
    return (
        f"SELECT id FROM (SELECT DISTINCT ON (position) position, id FROM ({found}) AS found"  # noqa: S608
        " ORDER BY position, preference, id DESC) AS first_found ORDER BY position",
        params,
    )


_MATCHES = """SELECT position, preference, id
    FROM unnest(%s::int[], %s::int[], %s::text[]) AS wanted (position, preference, value)
    JOIN assets_asset ON {column} = value WHERE deleted_at IS NULL"""


def get_assets_by_reference(keys: Iterable[str], taxonomy: TaxonomySnapshot) -> dict[str, tuple[int, str, str]]:
    """Return key -> (pk, layer, address) for each key that matches a live asset, in one query."""
    references = {key: reference for key in keys if (reference := parse_reference(key)) is not None}
    condition = Q(pk__in=[])
    for reference in references.values():
        condition |= Q(RawSQL(*reference.condition(lambda: taxonomy), output_field=_BOOLEAN))  # noqa: S611
    found: dict[str, tuple[int, str, str]] = {}
    rows = Asset.objects.live().filter(condition).values_list(
        "pk", "layer", "nna_address", "public_id", "name", "base_name"
    )  # fmt: skip
    by_form: dict[str, tuple[int, str, str]] = {}
    for pk, layer, address, public_id, name, base_name in rows:
        for form in (public_id, name, name.rstrip(":"), base_name, address):
            by_form.setdefault(form, (pk, layer, address))
    for key, reference in references.items():
        for form in reference.stored_forms(lambda: taxonomy):
            if form in by_form:
                found[key] = by_form[form]
                break
    return found
