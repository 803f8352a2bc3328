"""Compare responses of the API with the recorded shapes, and byte for byte with the responses without flags."""

import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from django.http import HttpRequest, QueryDict

from accounts.models import User
from accounts.service_keys import ServicePrincipal
from api.envelopes import success_from_json
from assets.api.asset_json import fetch_by_pk, fetch_latest, metadata_json
from assets.api.listing import list_assets
from assets.api.responses import page_response
from assets.models import Asset
from common.errors import RegistryError
from flags.evaluation import ALL_OFF, EnabledFlags, flags_for_request
from flags.registry import GATED_FIELDS_BY_FLAG
from ops.internal_client import ClientResponse, InternalClient, read_only_snapshot, sample_service
from ops.recorded_contract import ListRequest, RecordedContract, read_recorded, shape_differences
from taxonomy.addresses import LAYER_NUMBERS

ASSETS_PER_LAYER = 3
_WORDS = 6
_TIMESTAMP = re.compile(rb'"timestamp":"[^"]*"')


@dataclass(frozen=True)
class ContractProbe:
    """A read request, and a function that builds its expected response. `group` is for the report."""

    group: str
    path: str
    is_service: bool
    kind: str
    expected: Callable[[Any, EnabledFlags], bytes]


@dataclass(frozen=True)
class ContractReport:
    """Number of requests by group, the callers, the sample, and the differences as (request, description)."""

    counts: dict[str, int]
    user: str
    service: str
    asset_count: int
    filled_count: int
    differences: tuple[tuple[str, str], ...]

    @property
    def request_count(self) -> int:
        return sum(self.counts.values())


def check_contract(*, user: User, kept: Collection[str], contracts: Path, now: datetime) -> ContractReport:
    """Send requests as `user` and as a service. Fields of the flags in `kept` may be shown.

    Raises NotFound if the recordings are missing.
    """
    recorded = read_recorded(contracts)
    with read_only_snapshot():
        clients = {False: InternalClient(user, now=now), True: InternalClient(sample_service(now), now=now)}
        assets = _sample()
        probes = [*_list_probes(recorded, assets), *_detail_probes(assets)]
        differences = []
        for probe in probes:
            client = clients[probe.is_service]
            if difference := _difference(probe, client.get(probe.path), client.caller, recorded, kept):
                differences.append((f"{'service' if probe.is_service else 'user'} {probe.path}", difference))
    counts: dict[str, int] = {}
    for probe in probes:
        counts[probe.group] = counts.get(probe.group, 0) + 1
    return ContractReport(
        counts=counts,
        user=user.email,
        service=clients[True].caller.email,
        asset_count=len(assets),
        filled_count=sum(map(_is_filled, assets)),
        differences=tuple(differences),
    )


def _sample() -> list[Asset]:
    """Return live assets of each layer. Those with gated values come first, because only they can reveal a leak."""
    live = Asset.objects.live().newest_first()
    sample: dict[int, Asset] = {}
    for layer in LAYER_NUMBERS:
        of_layer = live.filter(layer=layer)
        filled = list(of_layer.with_gated_values()[:ASSETS_PER_LAYER])
        others = of_layer.exclude(pk__in=[asset.pk for asset in filled])[: ASSETS_PER_LAYER - len(filled)]
        sample |= {asset.pk: asset for asset in [*filled, *others]}
    return list(sample.values())


def _is_filled(asset: Asset) -> bool:
    return any(value is not None for value in (asset.creator_description, asset.album_art, asset.ai_metadata))


def _list_probes(recorded: RecordedContract, assets: list[Asset]) -> Iterator[ContractProbe]:
    """Yield the recorded requests of legacy clients, and searches for words of the sample."""
    for request in recorded.lists:
        yield _list_probe("lists and searches of legacy clients", request)
    for word in _words(assets):
        for request in (
            ListRequest(f"/api/assets?search={word}&limit=20", is_service=False),
            ListRequest(f"/api/assets/search?q={word}&limit=100", is_service=True),
        ):
            yield _list_probe("searches for words of the sample", request)


def _list_probe(group: str, request: ListRequest) -> ContractProbe:
    return ContractProbe(group, request.path, request.is_service, request.kind, partial(_list_content, request))


def _detail_probes(assets: list[Asset]) -> Iterator[ContractProbe]:
    for asset in assets:
        name, key = quote(asset.name), asset.public_id if asset.has_irregular_address else asset.nna_address
        detail, metadata = partial(_detail_content, asset.pk), partial(_metadata_content, asset.pk)
        yield ContractProbe("details", f"/api/assets/{name}", False, "asset", detail)
        yield ContractProbe("details", f"/api/assets/address/{quote(key)}", True, "asset", detail)
        yield ContractProbe("metadata", f"/api/assets/{name}/metadata", True, "metadata", metadata)


def _list_content(listed: ListRequest, request: Any, flags: EnabledFlags) -> bytes:
    params = QueryDict(urlsplit(listed.path).query)
    return page_response(request, list_assets(params, flags=flags, is_admin=request.user.is_admin)).content


def _detail_content(pk: int, request: Any, flags: EnabledFlags) -> bytes:
    return success_from_json(fetch_by_pk([pk], flags).rows[0].encode()).content


def _metadata_content(pk: int, request: Any, flags: EnabledFlags) -> bytes:
    rows = fetch_latest(metadata_json(flags), "id = %s", [pk], limit=1)
    return success_from_json(rows.rows[0].encode()).content


def _words(assets: list[Asset]) -> list[str]:
    """Return the longest word of each text. Gated texts come first, because a search must not match them."""
    texts = [asset.creator_description for asset in assets]
    texts += [(asset.ai_metadata or {}).get("generatedDescription") for asset in assets]
    texts += [asset.description for asset in assets]
    words = (max(re.findall(r"[^\W\d_]+", str(text or "")), key=len, default="") for text in texts)
    return list(dict.fromkeys(quote(word.lower()) for word in words if word))[:_WORDS]


def _difference(
    probe: ContractProbe,
    response: ClientResponse,
    caller: User | ServicePrincipal,
    recorded: RecordedContract,
    kept: Collection[str],
) -> str:
    """Describe how the response differs from the expected one; "" if it does not."""
    request = HttpRequest()
    request.user = caller  # type: ignore[attr-defined]
    flags = EnabledFlags(flags_for_request(request).names & set(kept)) if kept else ALL_OFF
    try:
        expected = probe.expected(request, flags)
    except RegistryError as error:
        return "" if 400 <= response.status < 500 else f"status {response.status} instead of the error: {error.message}"
    if response.status != 200:
        return f"status {response.status}"
    shown_keys = {key for name in flags.names for key in GATED_FIELDS_BY_FLAG[name].api_keys}
    differences = shape_differences(probe.kind, json.loads(response.content), recorded.shapes, shown_keys=shown_keys)
    if not differences and _TIMESTAMP.sub(b"", response.content) != _TIMESTAMP.sub(b"", expected):
        differences = ["has the same keys, but other bytes than without the flags"]
    return "; ".join(differences)
