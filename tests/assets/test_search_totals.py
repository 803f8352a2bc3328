"""Totals of searches right after writes, also of concurrent transactions."""

import threading

import pytest
from django.db import connection, transaction
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from assets import search_totals
from assets.api.listing import parse_selection
from assets.models import Asset
from assets.search_pages import SearchReader
from assets.search_sample import SearchSample
from flags.evaluation import ALL_ON
from tests.factories.assets import DAY_ONE, make_asset, make_assets

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]


def count(query: str = "search=neon") -> int:
    selection = parse_selection(QueryDict(query), flags=ALL_ON, is_admin=False)
    return SearchReader(selection, SearchSample([], 0)).count()


def test_each_write_is_counted_at_once() -> None:
    made = make_assets(3, description="neon")
    make_asset("S.POP.DIV", description="neons", registered_by="theo@studio.example")
    assert count() == count() == 4
    assert count("search=neon&layer=S") == 1
    assert count("search=neon&registeredBy=theo@studio.example") == 1
    Asset.objects.filter(pk=made[0].pk).update(description="paper")
    assert count() == 3
    Asset.objects.filter(pk=made[1].pk).update(deleted_at=DAY_ONE)
    assert count() == 2
    Asset.objects.filter(pk=made[2].pk).update(registered_by="theo@studio.example")  # changes no searched text
    assert count("search=neon&registeredBy=theo@studio.example") == 2
    Asset.objects.filter(pk=made[2].pk).delete()
    assert count() == 1


def test_a_rolled_back_write_is_forgotten() -> None:
    make_asset(description="neon")
    with transaction.atomic():
        make_asset(description="neon")
        assert count() == 2
        transaction.set_rollback(True)
    assert count() == 1
    make_assets(2, description="neon")
    assert count() == 3


def test_only_changed_chunks_are_counted_again() -> None:
    for chunk in range(5, 15):
        make_asset(pk=chunk << 12, description="neon")
    assert count() == 10
    Asset.objects.filter(pk=6 << 12).update(description="paper")
    with CaptureQueriesContext(connection) as captured:
        assert count() == 9
    counted = [entry["sql"] for entry in captured.captured_queries if "count(*)" in entry["sql"]]
    assert len(counted) == 1
    assert f"BETWEEN {6 << 12} AND {(7 << 12) - 1}" in counted[0]
    assert str(5 << 12) not in counted[0]
    with CaptureQueriesContext(connection) as captured:
        assert count() == 9
    assert len(captured.captured_queries) == 1, "only the version is read"


@pytest.mark.django_db(transaction=True)
def test_a_change_is_counted_when_its_transaction_commits() -> None:
    """An earlier transaction that commits later has a lower stamp; it changes the version all the same."""
    first = make_asset(description="neon")
    second = make_asset(description="neon")
    is_written, may_commit = threading.Event(), threading.Event()

    def change_slowly() -> None:
        with transaction.atomic():
            Asset.objects.filter(pk=first.pk).update(description="paper")
            is_written.set()
            assert may_commit.wait(20)
        connection.close()

    writer = threading.Thread(target=change_slowly)
    writer.start()
    assert is_written.wait(20)
    assert count() == 2
    Asset.objects.filter(pk=second.pk).update(description="paper")  # does not wait for the writer
    assert count() == 1
    may_commit.set()
    writer.join(20)
    assert not writer.is_alive()
    assert count() == 0


def test_the_oldest_total_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_totals, "MAX_REMEMBERED", 2)
    make_asset(description="neon paper silk")
    for text in ("neon", "paper", "neon", "silk"):
        assert count(f"search={text}") == 1
    for text, is_remembered in (("neon", True), ("paper", False)):
        with CaptureQueriesContext(connection) as captured:
            assert count(f"search={text}") == 1
        assert (len(captured.captured_queries) == 1) is is_remembered
