"""Do the doors answer as they did before the gated fields? Compared to the recorded forms, and to the byte."""

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
from assets.api.views import page_response
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
    """A read, and what writes its answer for a caller with given flags. `sort` is for the account."""

    sort: str
    path: str
    is_service: bool
    kind: str
    expected: Callable[[Any, EnabledFlags], bytes]


@dataclass(frozen=True)
class ContractReport:
    """What was asked, of what, and where the answer is not what it was: (question, what differs)."""

    counts: dict[str, int]
    person: str
    service: str
    asset_count: int
    filled_count: int
    differences: tuple[tuple[str, str], ...]

    @property
    def question_count(self) -> int:
        return sum(self.counts.values())


def check_contract(*, person: User, kept: Collection[str], contracts: Path, now: datetime) -> ContractReport:
    """Ask as `person` and as a service, of this installation's own data. Flags in `kept` may show what they gate.

    Raises Missing where the recorded answers are not at hand.
    """
    recorded = read_recorded(contracts)
    with read_only_snapshot():
        doors = {False: InternalClient(person, now=now), True: InternalClient(sample_service(now), now=now)}
        assets = _sample()
        questions = [*_lists(recorded, assets), *_details(assets)]
        differences = []
        for question in questions:
            door = doors[question.is_service]
            if fault := _fault(question, door.get(question.path), door.caller, recorded, kept):
                differences.append((f"{'service' if question.is_service else 'person'} {question.path}", fault))
    counts: dict[str, int] = {}
    for question in questions:
        counts[question.sort] = counts.get(question.sort, 0) + 1
    return ContractReport(
        counts=counts,
        person=person.email,
        service=doors[True].caller.email,
        asset_count=len(assets),
        filled_count=sum(map(_is_filled, assets)),
        differences=tuple(differences),
    )


def _sample() -> list[Asset]:
    """Of each layer some live assets, those with gated values first: on them a leak would show."""
    live = Asset.objects.live().newest_first()
    found: dict[int, Asset] = {}
    for layer in LAYER_NUMBERS:
        of_layer = live.filter(layer=layer)
        filled = list(of_layer.with_gated_values()[:ASSETS_PER_LAYER])
        rest = of_layer.exclude(pk__in=[asset.pk for asset in filled])[: ASSETS_PER_LAYER - len(filled)]
        found |= {asset.pk: asset for asset in [*filled, *rest]}
    return list(found.values())


def _is_filled(asset: Asset) -> bool:
    return any(value is not None for value in (asset.creator_description, asset.album_art, asset.ai_metadata))


def _lists(recorded: RecordedContract, assets: list[Asset]) -> Iterator[ContractProbe]:
    """What old clients ask, word for word, and searches for words that stand in the data here."""
    for request in recorded.lists:
        yield _list_question("lists and searches of old clients", request)
    for word in _words(assets):
        for request in (
            ListRequest(f"/api/assets?search={word}&limit=20", is_service=False),
            ListRequest(f"/api/assets/search?q={word}&limit=100", is_service=True),
        ):
            yield _list_question("searches for words of the sample", request)


def _list_question(sort: str, request: ListRequest) -> ContractProbe:
    return ContractProbe(sort, request.path, request.is_service, request.kind, partial(_list_content, request))


def _details(assets: list[Asset]) -> Iterator[ContractProbe]:
    for asset in assets:
        name, key = quote(asset.name), asset.public_id if asset.has_irregular_address else asset.nna_address
        whole, short = partial(_whole_content, asset.pk), partial(_short_content, asset.pk)
        yield ContractProbe("details", f"/api/assets/{name}", False, "asset", whole)
        yield ContractProbe("details", f"/api/assets/address/{quote(key)}", True, "asset", whole)
        yield ContractProbe("short documents", f"/api/assets/{name}/metadata", True, "metadata", short)


def _list_content(request: ListRequest, asked: Any, flags: EnabledFlags) -> bytes:
    params = QueryDict(urlsplit(request.path).query)
    return page_response(asked, list_assets(params, flags=flags, is_admin=asked.user.is_admin)).content


def _whole_content(pk: int, asked: Any, flags: EnabledFlags) -> bytes:
    return success_from_json(fetch_by_pk([pk], flags).texts[0].encode()).content


def _short_content(pk: int, asked: Any, flags: EnabledFlags) -> bytes:
    rows = fetch_latest(metadata_json(flags), "id = %s", [pk], limit=1)
    return success_from_json(rows.texts[0].encode()).content


def _words(assets: list[Asset]) -> list[str]:
    """The longest word of each text of the sample: the gated ones first, which a search must not look into."""
    texts = [asset.creator_description for asset in assets]
    texts += [(asset.ai_metadata or {}).get("generatedDescription") for asset in assets]
    texts += [asset.description for asset in assets]
    words = (max(re.findall(r"[^\W\d_]+", str(text or "")), key=len, default="") for text in texts)
    return list(dict.fromkeys(quote(word.lower()) for word in words if word))[:_WORDS]


def _fault(
    question: ContractProbe,
    answer: ClientResponse,
    caller: User | ServicePrincipal,
    recorded: RecordedContract,
    kept: Collection[str],
) -> str:
    """What is wrong with the answer, in a few words; "" where nothing is."""
    asked = HttpRequest()
    asked.user = caller  # type: ignore[attr-defined]
    flags = EnabledFlags(flags_for_request(asked).names & set(kept)) if kept else ALL_OFF
    try:
        expected = question.expected(asked, flags)
    except RegistryError as refusal:
        return "" if 400 <= answer.status < 500 else f"answered {answer.status}, and not: {refusal.message}"
    if answer.status != 200:
        return f"answered {answer.status}"
    shown_keys = {key for name in flags.names for key in GATED_FIELDS_BY_FLAG[name].api_keys}
    field_errors = shape_differences(question.kind, json.loads(answer.content), recorded.forms, shown_keys=shown_keys)
    if not field_errors and _TIMESTAMP.sub(b"", answer.content) != _TIMESTAMP.sub(b"", expected):
        field_errors = ["the same keys, but not the same bytes as without the flags"]
    return "; ".join(field_errors)
