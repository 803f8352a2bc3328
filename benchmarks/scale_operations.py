"""The requests of `benchmarks.scale`: every kind of list and search, at its first and its far pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from assets.demo_media import make_media
from benchmarks.load import HttpRequest
from benchmarks.registries import PAGE_ROWS, Registry, batch_requests
from benchmarks.words import (
    COMMON_PAIR,
    COMMON_WORDS,
    NARROW_TAG,
    RARE_PAIR,
    RARE_WORDS,
    USERS,
    WIDE_TAG,
    WORD_IN_ELEVENTH,
    WORD_IN_MOST,
)

_BOUNDARY = "boundary-of-the-benchmark"
_NAMES = 2000
_COMMON = COMMON_WORDS[0]
_THREE_LETTERS = _COMMON[2:5]


@dataclass(frozen=True)
class Operation:
    """Requests of one kind, sent in turn."""

    name: str
    requests: Sequence[HttpRequest]
    is_admin: bool = False
    has_writes: bool = False  # an asset is edited before each request


def make_operations(registry: Registry) -> list[Operation]:
    names = registry.names(_NAMES)
    return [
        Operation("detail", [HttpRequest(f"/api/assets/{quote(name)}") for name in names]),
        *_lists(registry),
        *_sorts(registry),
        *_searches(),
        *_filters(),
        Operation("batch of 50", batch_requests("/api/assets/batch", names)),
        Operation("create with file", [make_creation(registry)]),
        Operation("admin: list of assets", [HttpRequest("/admin/assets/asset/")], is_admin=True),
        Operation("admin: search, word in 10 %", [HttpRequest(f"/admin/assets/asset/?q={_COMMON}")], is_admin=True),
        Operation("admin: rollout of the flags", [HttpRequest("/admin/flags/fieldflag/rollout/")], is_admin=True),
        Operation("metrics of the fields", [HttpRequest("/api/admin/metrics/fields")]),
    ]


def _list(name: str, *queries: dict[str, object], has_writes: bool = False) -> Operation:
    requests = [HttpRequest(f"/api/assets?{urlencode({'limit': PAGE_ROWS} | query)}") for query in queries]
    return Operation(name, requests, has_writes=has_writes)


def _lists(registry: Registry) -> Iterator[Operation]:
    category, _ = registry.largest_subcategory("C")
    tag = f"tags @> ARRAY['{WIDE_TAG}']::varchar[]"
    selections = [
        ("list", {}, "true"),
        ("layer C (64 %)", {"layer": "C"}, "layer = 'C'"),
        ("layer G (1.3 %)", {"layer": "G"}, "layer = 'G'"),
        ("category", {"layer": "C", "category": category}, f"layer = 'C' AND category = '{category}'"),
        ("tag of 18 %", {"tags": WIDE_TAG}, tag),
    ]
    for title, query, condition in selections:
        last = registry.last_page(condition)
        pages = {"page 1": 1, "page 20": 20, "middle page": last // 2, "last page": last}
        for label, page in pages.items():
            if page > 0 and (page <= last or label != "page 20"):
                yield _list(f"{title}, {label}", query | {"page": page})
        if not query:
            yield _list(f"{title}, past the end", {"page": last + 100})
    yield _list("tag of 0.02 %", {"tags": NARROW_TAG})


def _sorts(registry: Registry) -> Iterator[Operation]:
    last = registry.last_page()
    for field in ("name", "createdAt", "updatedAt"):
        for order in ("asc", "desc"):
            for label, page in (("page 1", 1), ("last page", last)):
                yield _list(f"sort by {field} {order}, {label}", {"sortBy": field, "sortOrder": order, "page": page})


def _searches() -> Iterator[Operation]:
    texts = {
        "rare word (40 rows)": RARE_WORDS,
        "rare and common word": [f"{word} {_COMMON}" for word in RARE_WORDS],
        "word in 10 %": [_COMMON],
        "two words (0.9 %)": [f"{WORD_IN_ELEVENTH} {_COMMON}"],
        "word in 98 %": [WORD_IN_MOST],
        "3 letters of 10 %": [_THREE_LETTERS],
        "2 letters of 40 rows": [RARE_PAIR],
        "2 letters of 15 %": [COMMON_PAIR],
    }
    for title, values in texts.items():
        yield _list(f"search, {title}", *({"search": text} for text in values))
    yield _list("search, word in 10 %, page 20", {"search": _COMMON, "page": 20})
    for title, query in (("layer C", {"layer": "C"}), ("layer G", {"layer": "G"}), ("tag of 18 %", {"tags": WIDE_TAG})):
        yield _list(f"search, word in 10 % + {title}", {"search": _COMMON} | query)
    after_writes = {"word in 10 %": COMMON_WORDS} | {
        title: texts[title] for title in ("two words (0.9 %)", "word in 98 %", "2 letters of 15 %")
    }
    for title, values in after_writes.items():
        yield _list(f"search, {title}, after a write", *({"search": text} for text in values), has_writes=True)


def _filters() -> Iterator[Operation]:
    yield _list("registeredBy (25 %)", {"registeredBy": USERS[0]})
    yield _list("registeredBy (25 %), after a write", {"registeredBy": USERS[0]}, has_writes=True)
    yield _list("status=curated (0 rows)", {"status": "curated"})
    for name in ("hasAlbumArt", "hasCreatorDescription"):
        for value in ("true", "false"):
            yield _list(f"{name}={value} ({'90' if value == 'true' else '10'} %)", {name: value})


def make_creation(registry: Registry) -> HttpRequest:
    category, subcategory = registry.largest_subcategory("S")
    content, mime_type, extension = make_media("S", 1, "benchmark")
    fields = {
        "layer": "S", "category": category, "subcategory": subcategory, "source": "ReViz",
        "description": f"Created by the benchmark with a {_COMMON} word", "tags": f'["{WIDE_TAG}"]',
    }  # fmt: skip
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    head = f'Content-Disposition: form-data; name="file"; filename="a.{extension}"\r\nContent-Type: {mime_type}\r\n\r\n'
    body = b"".join(f"--{_BOUNDARY}\r\n".encode() + part + b"\r\n" for part in [*parts, head.encode() + content])
    body += f"--{_BOUNDARY}--\r\n".encode()
    return HttpRequest("/api/assets", "POST", body, f"multipart/form-data; boundary={_BOUNDARY}")
