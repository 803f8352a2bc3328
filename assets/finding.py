"""From what a client calls an asset to the asset: id, name, base name, stored or numeric address."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from assets.errors import AssetMissing
from assets.models import Asset
from common.errors import Invalid
from common.public_ids import is_public_id
from taxonomy.lookup import Directory

MAX_KEY_CHARS = 600


def condition_sql(key: str, directory: Directory) -> tuple[str, list[Any]] | None:
    """SQL and parameters for the rows `key` may mean, or None when it has the form of no name, address or id.

    Composite names are stored with `:` and are found by `+` too, with or without a trailing separator, and
    by their base alone. An address is found as it is stored and, where its numbers are known, by the name
    they stand for, so that rows with an irregular stored address are found by their right one as well.
    """
    text = key.strip()
    if not text or len(text) > MAX_KEY_CHARS or "\x00" in text:
        return None
    if is_public_id(text.lower()):
        return "assets_asset.public_id = %s", [text.lower()]
    whole = text.upper().replace("+", ":").rstrip(":")
    base = whole.partition(":")[0]
    if base.count(".") < 3:
        return None
    base_names = []
    with suppress(Invalid):  # not an address, or one of numbers nobody has: the stored forms still count
        base_names.append(directory.mfa_to_hfn(base).partition(":")[0])
    if ":" in whole:
        return f"(assets_asset.name = ANY(%s) OR {_BASE_NAME})", [[whole, f"{whole}:"], base_names]
    return f"(assets_asset.nna_address = ANY(%s) OR {_BASE_NAME})", [[text, base], [base, *base_names]]


_BASE_NAME = "assets_asset.base_name = ANY(%s)"


def condition_for(key: str, directory: Directory) -> RawSQL | None:
    """The same for a queryset's filter."""
    condition = condition_sql(key, directory)
    return RawSQL(*condition, output_field=BooleanField()) if condition else None  # noqa: S611  # input is in parameters


def find_asset(key: str, directory: Directory) -> Asset:
    """The one live asset `key` means. Raises AssetMissing."""
    return Asset.objects.get(pk=find_asset_pk(key, directory))


def find_asset_pk(key: str, directory: Directory) -> int:
    condition = condition_for(key, directory)
    found = Asset.objects.live().filter(condition).order_by() if condition is not None else Asset.objects.none()
    for pk in found.values_list("pk", flat=True)[:1]:
        return pk
    raise AssetMissing(key)


def find_assets(keys: Iterable[str], directory: Directory) -> dict[str, tuple[int, str, str]]:
    """For every key that means a live asset: key -> (pk, layer, address). One query, whatever the number of keys."""
    conditions = {key: condition_for(key, directory) for key in keys}
    anything = Q(pk__in=[])
    for condition in conditions.values():
        if condition is not None:
            anything |= Q(condition)
    found: dict[str, tuple[int, str, str]] = {}
    rows = Asset.objects.live().filter(anything).values_list(
        "pk", "layer", "nna_address", "public_id", "name", "base_name"
    )  # fmt: skip
    by_form: dict[str, tuple[int, str, str]] = {}
    for pk, layer, address, public_id, name, base_name in rows:
        for form in (public_id, name, name.rstrip(":"), base_name, address):
            by_form.setdefault(form, (pk, layer, address))
    for key in conditions:
        for form in _forms_of(key, directory):
            if form in by_form:
                found[key] = by_form[form]
                break
    return found


def _forms_of(key: str, directory: Directory) -> Iterable[str]:
    """The stored spellings `key` may stand for, the most exact first."""
    text = key.strip()
    whole = text.upper().replace("+", ":").rstrip(":")
    yield from (text.lower(), text, whole, whole.partition(":")[0] if ":" not in whole else whole)
    try:
        yield directory.mfa_to_hfn(whole.partition(":")[0]).partition(":")[0]
    except Invalid:
        return
