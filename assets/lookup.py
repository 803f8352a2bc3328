"""From what a client calls an asset to the asset: id, name, base name, stored or numeric address."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from assets.errors import AssetNotFound
from assets.models import Asset
from common.errors import InvalidInput
from common.public_ids import is_public_id
from taxonomy.addresses import parse_mfa
from taxonomy.snapshot import TaxonomySnapshot

MAX_KEY_CHARS = 600

_TRUTH = BooleanField()


@dataclass(frozen=True)
class AssetReference:
    """What a client calls an asset, in the spellings that rows are stored in."""

    text: str  # as it was sent, but for an id: an irregular address is stored as it came
    whole: str  # upper case, parts behind `:`, no separator at the end
    is_id: bool

    @property
    def base(self) -> str:
        return self.whole.partition(":")[0]

    def base_names(self, directory: Callable[[], TaxonomySnapshot]) -> list[str]:
        """The name an address stands for. The taxonomy is asked only for what is an address."""
        with suppress(InvalidInput):  # none, or one of numbers nobody has: the stored forms still count
            parse_mfa(self.base, allow_placeholder=True)
            return [directory().mfa_to_hfn(self.base)]
        return []

    def condition(self, directory: Callable[[], TaxonomySnapshot]) -> tuple[str, list[Any]]:
        """SQL and parameters for the rows that may be meant.

        Composite names are stored with `:` and are found by `+` too, with or without a trailing separator, and
        by their base alone. An address is found as it is stored and, where its numbers are known, by the name
        they stand for, so that rows with an irregular stored address are found by their right one as well.
        """
        if self.is_id:
            return "assets_asset.public_id = %s", [self.text]
        names = self.base_names(directory)
        if ":" in self.whole:
            return _any_of(name=[self.whole, f"{self.whole}:"], base_name=names)
        return _any_of(nna_address=[self.text, self.base], base_name=[self.base, *names])

    def forms(self, directory: Callable[[], TaxonomySnapshot]) -> list[str]:
        """The stored spellings it may stand for, the most exact first."""
        return [self.text] if self.is_id else [self.text, self.whole, *self.base_names(directory)]


def _any_of(**wanted: list[str]) -> tuple[str, list[Any]]:
    """Rows where a column is one of the texts. Texts one by one and none twice: plainer to send, plainer to plan."""
    texts = {column: list(dict.fromkeys(values)) for column, values in wanted.items() if values}
    parts = [f"assets_asset.{column} IN ({', '.join(['%s'] * len(values))})" for column, values in texts.items()]
    return f"({' OR '.join(parts)})", [text for values in texts.values() for text in values]


def parse_reference(key: str) -> AssetReference | None:
    """None for what has the form of no name, address or id."""
    text = key.strip()
    if not text or len(text) > MAX_KEY_CHARS or "\x00" in text:
        return None
    whole = text.upper().replace("+", ":").rstrip(":")
    if is_public_id(text.lower()):
        return AssetReference(text.lower(), whole, is_id=True)
    found = AssetReference(text, whole, is_id=False)
    return found if found.base.count(".") >= 3 else None


def reference_condition(key: str, directory: Callable[[], TaxonomySnapshot]) -> RawSQL | None:
    """For a queryset's filter: the rows `key` may mean; None when it has the form of no name, address or id."""
    asked = parse_reference(key)
    if asked is None:
        return None
    return RawSQL(*asked.condition(directory), output_field=_TRUTH)  # noqa: S611  # input is in parameters


def get_asset(key: str, directory: TaxonomySnapshot) -> Asset:
    """The one live asset `key` means. Raises AssetNotFound."""
    return Asset.objects.get(pk=get_asset_pk(key, directory))


def get_asset_pk(key: str, directory: TaxonomySnapshot) -> int:
    condition = reference_condition(key, lambda: directory)
    found = Asset.objects.live().filter(condition).order_by() if condition is not None else Asset.objects.none()
    for pk in found.values_list("pk", flat=True)[:1]:
        return pk
    raise AssetNotFound(key)


def get_assets_by_reference(keys: Iterable[str], directory: TaxonomySnapshot) -> dict[str, tuple[int, str, str]]:
    """For every key that means a live asset: key -> (pk, layer, address). One query, whatever the number of keys."""
    asked = {key: known for key in keys if (known := parse_reference(key)) is not None}
    anything = Q(pk__in=[])
    for known in asked.values():
        anything |= Q(RawSQL(*known.condition(lambda: directory), output_field=_TRUTH))  # noqa: S611
    found: dict[str, tuple[int, str, str]] = {}
    rows = Asset.objects.live().filter(anything).values_list(
        "pk", "layer", "nna_address", "public_id", "name", "base_name"
    )  # fmt: skip
    by_form: dict[str, tuple[int, str, str]] = {}
    for pk, layer, address, public_id, name, base_name in rows:
        for form in (public_id, name, name.rstrip(":"), base_name, address):
            by_form.setdefault(form, (pk, layer, address))
    for key, known in asked.items():
        for form in known.forms(lambda: directory):
            if form in by_form:
                found[key] = by_form[form]
                break
    return found
