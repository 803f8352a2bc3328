"""From what a client calls an asset to the asset: id, name, base name, stored or numeric address."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.db.models import F, Q

from assets.errors import AssetMissing
from assets.models import Asset
from assets.querysets import AssetQuerySet
from common.errors import Invalid
from common.public_ids import is_public_id
from taxonomy.lookup import Directory

MAX_KEY_CHARS = 600


def condition_for(key: str, directory: Directory) -> Q | None:
    """The rows `key` may mean, or None when it has the form of no name, address or id.

    Composite names are stored with `:` and are found by `+` too, with or without a trailing separator, and
    by their base alone. An address is found as it is stored and, where its numbers are known, by the name
    they stand for, so that rows with an irregular stored address are found by their right one as well.
    """
    text = key.strip()
    if not text or len(text) > MAX_KEY_CHARS or "\x00" in text:
        return None
    if is_public_id(text.lower()):
        return Q(public_id=text.lower())
    whole = text.upper().replace("+", ":").rstrip(":")
    base = whole.partition(":")[0]
    if base.count(".") < 3:
        return None
    base_names = []
    with suppress(Invalid):  # not an address, or one of numbers nobody has: the stored forms still count
        base_names.append(directory.mfa_to_hfn(base).partition(":")[0])
    if ":" in whole:
        return Q(name__in=[whole, f"{whole}:"]) | Q(base_name__in=base_names)
    return Q(base_name__in=[base, *base_names]) | Q(nna_address__in=[text, base])


def find_asset(key: str, directory: Directory, *, among: AssetQuerySet | None = None) -> Asset:
    """The one live asset `key` means. Raises AssetMissing."""
    pk = find_asset_pk(key, directory, among=among)
    return Asset.objects.get(pk=pk)


def find_asset_pk(key: str, directory: Directory, *, among: AssetQuerySet | None = None) -> int:
    candidates = Asset.objects.live() if among is None else among
    return find_value(key, directory, F("pk"), among=candidates)


def find_value(key: str, directory: Directory, expression: Any, *, among: AssetQuerySet) -> Any:
    """What `expression` says of the one asset `key` means among the given, in one query. Raises AssetMissing."""
    condition = condition_for(key, directory)
    found = among.filter(condition).order_by().values_list(expression, flat=True)[:1] if condition is not None else ()
    for value in found:
        return value
    raise AssetMissing(key)


def find_assets(keys: Iterable[str], directory: Directory) -> dict[str, tuple[int, str, str]]:
    """For every key that means a live asset: key -> (pk, layer, address). One query, whatever the number of keys."""
    conditions = {key: condition_for(key, directory) for key in keys}
    anything = Q(pk__in=[])
    for condition in conditions.values():
        if condition is not None:
            anything |= condition
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
