"""Do counters, numbers and addresses still agree with the assets? Find what drifted, and put it right under lock."""

import logging
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from assets.media_storage import delete_media
from assets.models import Asset, SequenceCounter, SequenceReservation
from common.errors import InvalidInput
from taxonomy.snapshot import TaxonomySnapshot

log = logging.getLogger(__name__)

_CHUNK_ROWS = 2000


@dataclass
class ConsistencyReport:
    """Sentences by kind; `counters` and `live_counts` can be repaired, the rest is for a person to look at."""

    counters: list[str] = field(default_factory=list)
    live_counts: list[str] = field(default_factory=list)
    unexplained_gaps: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.counters or self.live_counts or self.unexplained_gaps or self.addresses)

    def lines(self) -> list[str]:
        return [*self.counters, *self.live_counts, *self.unexplained_gaps, *self.addresses]


_COUNTERS = """
SELECT node, coalesce(c.last_number, 0), greatest(a.highest, coalesce(r.highest, 0)),
       coalesce(c.live_count, 0), coalesce(a.live, 0)
FROM (SELECT taxonomy_node_id AS node FROM assets_asset UNION SELECT taxonomy_node_id FROM assets_sequencecounter
      UNION SELECT taxonomy_node_id FROM assets_sequencereservation) AS nodes
LEFT JOIN assets_sequencecounter c ON c.taxonomy_node_id = node
LEFT JOIN (SELECT taxonomy_node_id, max(sequence_number) AS highest, count(*) FILTER (WHERE deleted_at IS NULL) AS live
           FROM assets_asset GROUP BY 1) AS a ON a.taxonomy_node_id = node
LEFT JOIN (SELECT taxonomy_node_id, max(number) AS highest FROM assets_sequencereservation GROUP BY 1) AS r
       ON r.taxonomy_node_id = node
ORDER BY node
"""
# Numbers below the highest that neither an asset nor a reservation has, in places filled by this registry alone:
# a legacy export brings gaps of its own.
_GAPS = """
SELECT c.taxonomy_node_id, c.last_number - count(DISTINCT used.number)
FROM assets_sequencecounter c
LEFT JOIN (SELECT taxonomy_node_id AS node, sequence_number AS number FROM assets_asset
           UNION SELECT taxonomy_node_id, number FROM assets_sequencereservation) AS used
       ON used.node = c.taxonomy_node_id AND used.number <= c.last_number
WHERE NOT EXISTS (SELECT 1 FROM assets_asset i WHERE i.taxonomy_node_id = c.taxonomy_node_id AND i.origin = 'import')
GROUP BY c.taxonomy_node_id, c.last_number HAVING c.last_number > count(DISTINCT used.number)
"""


def check_consistency(directory: TaxonomySnapshot) -> ConsistencyReport:
    drift = ConsistencyReport()
    for node_pk, last_number, highest, kept_live, live in _fetch(_COUNTERS):
        place = _node_label(directory, node_pk)
        if last_number < (highest or 0):
            drift.counters.append(f"{place}: the counter stands at {last_number}, number {highest} is in use")
        if kept_live != live:
            drift.live_counts.append(f"{place}: {kept_live} live assets are noted, there are {live}")
    drift.unexplained_gaps = [
        f"{_node_label(directory, node_pk)}: {missing} numbers have neither an asset nor a reservation"
        for node_pk, missing in _fetch(_GAPS)
    ]
    drift.addresses = _find_wrong_addresses(directory)
    return drift


def _find_wrong_addresses(directory: TaxonomySnapshot) -> list[str]:
    wrong = []
    assets = Asset.objects.filter(has_irregular_address=False).values_list("base_name", "nna_address", "name")
    for base_name, address, name in assets.iterator(chunk_size=_CHUNK_ROWS):
        try:
            there = directory.hfn_to_mfa(base_name)
            back = directory.mfa_to_hfn(address)
        except InvalidInput as error:
            wrong.append(f"{name}: {error.message}")
            continue
        if there != address or back != base_name:
            wrong.append(f"{name}: the address is {address}, its name means {there}")
    return wrong


@transaction.atomic
def repair_counters() -> int:
    """Raise counters that are behind and correct the notes of live assets. Returns how many counters changed.

    No counter is lowered: a number that was handed out is never handed out again.
    """
    # Registrations wait on the counters they need; readers go on.
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE assets_sequencecounter IN SHARE ROW EXCLUSIVE MODE")
    changed = 0
    for node_pk, last_number, highest, kept_live, live in _fetch(_COUNTERS):
        wanted = max(last_number, highest or 0)
        if (wanted, live) != (last_number, kept_live):
            SequenceCounter.objects.update_or_create(
                taxonomy_node_id=node_pk, defaults={"last_number": wanted, "live_count": live}
            )
            changed += 1
    log.info("sequence counters repaired", extra={"counters": changed})
    return changed


def expire_stale_reservations(now: datetime) -> int:
    """Remove the files of registrations that broke off; their numbers stay unused, explained by the reservation."""
    rows = list(SequenceReservation.objects.expired(now).order_by("pk")[:1000])
    for row in rows:
        if row.media_key and not Asset.objects.filter(media_key=row.media_key).exists():
            delete_media(row.media_key)
        row.lapse(now)
    if rows:
        log.info("lapsed reservations cleaned up", extra={"reservations": len(rows)})
    return len(rows)


def _fetch(sql: str) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def _node_label(directory: TaxonomySnapshot, node_pk: int) -> str:
    node = directory.node(node_pk)
    return f"{node.layer}.{node.category_code}.{node.code}" if node else f"node {node_pk}"
