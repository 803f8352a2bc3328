"""Sequence numbers: one counter per subcategory, advanced under its row lock and never moved back.

The file is stored under the asset's name before the row exists, and a lock must not be held during that. So a short
transaction reserves the number first, and the transaction of the row deletes the reservation. If the registration fails
in between, the reservation stays and explains the gap. See docs/adr/sequence-numbers.md.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from assets.models import SequenceCounter, SequenceReservation


@dataclass(frozen=True)
class ReservedNumber:
    taxonomy_node_id: int
    number: int
    reservation_id: int
    expires_at: datetime


@transaction.atomic
def reserve_numbers(
    taxonomy_node_ids: Sequence[int],
    *,
    purpose: SequenceReservation.Purpose,
    by: str,
    now: datetime,
    media_key: Callable[[int, int], str] | None = None,
) -> list[ReservedNumber]:
    """Reserve one new number for each entry of `taxonomy_node_ids`, in their order; a node may occur repeatedly.

    `media_key(position, number)` returns the key of the file that will be stored. The reservation has it before the
    file exists, so that a cleanup after a crash finds the file.
    """
    # Counters are locked in primary-key order, so that concurrent batches cannot deadlock.
    next_free = {
        node_id: advance_counter(node_id, count) for node_id, count in sorted(Counter(taxonomy_node_ids).items())
    }
    expires_at = now + timedelta(seconds=settings.ASSETS_RESERVATION_SECONDS)
    rows = []
    for position, node_id in enumerate(taxonomy_node_ids):
        rows.append(
            SequenceReservation(
                taxonomy_node_id=node_id,
                number=next_free[node_id],
                purpose=purpose,
                media_key=media_key(position, next_free[node_id]) if media_key else "",
                reserved_by=by,
                reserved_at=now,
                expires_at=expires_at,
            )
        )
        next_free[node_id] += 1
    SequenceReservation.objects.bulk_create(rows)
    return [ReservedNumber(row.taxonomy_node_id, row.number, row.pk, expires_at) for row in rows]


def advance_counter(taxonomy_node_id: int, count: int) -> int:
    """Advance the counter by `count` and return the first new number; the counter stays locked until commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO assets_sequencecounter AS counter (taxonomy_node_id, last_number, live_count)"
            " VALUES (%s, %s, 0) ON CONFLICT (taxonomy_node_id)"
            " DO UPDATE SET last_number = counter.last_number + excluded.last_number RETURNING last_number",
            [taxonomy_node_id, count],
        )
        return cursor.fetchone()[0] - count + 1


def consume_reservations(reservation_ids: Sequence[int]) -> None:
    """Delete the reservations; call it in the transaction that inserts the assets."""
    SequenceReservation.objects.filter(pk__in=reservation_ids).delete()


def lock_counters(taxonomy_node_ids: Iterable[int]) -> None:
    """Lock counters in primary-key order, before a transaction writes assets of several subcategories.

    Each written asset updates the live count of its counter, in the order of the rows. Without these locks, concurrent
    transactions could deadlock.
    """
    counters = SequenceCounter.objects.filter(pk__in=set(taxonomy_node_ids)).order_by("pk")
    list(counters.select_for_update().values_list("pk"))


def ensure_counters_at_least(highest_by_node: dict[int, int]) -> None:
    """Raise each counter to at least the given number, and lock it; a counter is never lowered."""
    with connection.cursor() as cursor:
        # Sorted, so that the counters are locked in primary-key order.
        cursor.execute(
            "INSERT INTO assets_sequencecounter AS counter (taxonomy_node_id, last_number, live_count)"
            " SELECT node, number, 0 FROM unnest(%s::bigint[], %s::integer[]) AS given (node, number) ORDER BY node"
            " ON CONFLICT (taxonomy_node_id) DO UPDATE SET last_number = excluded.last_number"
            " WHERE counter.last_number < excluded.last_number",
            [list(highest_by_node), list(highest_by_node.values())],
        )
