"""Sequence numbers: one counter a subcategory, moved under its row lock, never moved back.

A number is handed out in a short transaction of its own, together with a reservation, because the file is
stored under the asset's name before its row exists and storage must not hold a lock. The row's transaction
takes the reservation away. What breaks off in between leaves the reservation: it explains the gap.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
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
    taxonomy_node_ids: Sequence[int], *, purpose: SequenceReservation.Purpose, by: str, now: datetime
) -> list[ReservedNumber]:
    """One fresh number for each entry of `taxonomy_node_ids`, in that order; the same node may come often."""
    # Counters are locked in the order of their keys: two batches cannot wait for each other in a circle.
    next_free = {
        node_id: advance_counter(node_id, count) for node_id, count in sorted(Counter(taxonomy_node_ids).items())
    }
    expires_at = now + timedelta(seconds=settings.ASSETS_RESERVATION_SECONDS)
    rows = []
    for node_id in taxonomy_node_ids:
        rows.append(
            SequenceReservation(
                taxonomy_node_id=node_id,
                number=next_free[node_id],
                purpose=purpose,
                reserved_by=by,
                reserved_at=now,
                expires_at=expires_at,
            )
        )
        next_free[node_id] += 1
    SequenceReservation.objects.bulk_create(rows)
    return [ReservedNumber(row.taxonomy_node_id, row.number, row.pk, expires_at) for row in rows]


def advance_counter(taxonomy_node_id: int, count: int) -> int:
    """Move the counter by `count` and return the first number taken; the counter stays locked until commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO assets_sequencecounter AS counter (taxonomy_node_id, last_number, live_count)"
            " VALUES (%s, %s, 0) ON CONFLICT (taxonomy_node_id)"
            " DO UPDATE SET last_number = counter.last_number + excluded.last_number RETURNING last_number",
            [taxonomy_node_id, count],
        )
        return cursor.fetchone()[0] - count + 1


def consume_reservations(reservation_ids: Sequence[int]) -> None:
    """The numbers have their assets now; call it in the transaction that inserts them."""
    SequenceReservation.objects.filter(pk__in=reservation_ids).delete()


def lock_counters(taxonomy_node_ids: Iterable[int]) -> None:
    """Lock before writing assets of more than one subcategory in one transaction.

    Each asset written touches its subcategory's counter (the count of live assets stands there), in the order of
    the rows. Taken in the order of their keys first, no two transactions wait for each other in a circle.
    """
    counters = SequenceCounter.objects.filter(pk__in=set(taxonomy_node_ids)).order_by("pk")
    list(counters.select_for_update().values_list("pk"))


def ensure_counters_at_least(highest_by_node: dict[int, int]) -> None:
    """Make sure each counter stands at least at the given number; no counter moves back."""
    for node_id in sorted(highest_by_node):
        SequenceCounter.objects.get_or_create(taxonomy_node_id=node_id)
        SequenceCounter.objects.filter(pk=node_id, last_number__lt=highest_by_node[node_id]).update(
            last_number=highest_by_node[node_id]
        )
