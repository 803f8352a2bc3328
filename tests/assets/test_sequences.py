"""Sequence numbers under concurrency: 64 connections, one subcategory."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from assets import registration
from assets.consistency import check_consistency, repair_counters
from assets.models import Asset, SequenceCounter, SequenceReservation
from assets.registration import RegistrationData, register_asset, register_assets
from assets.sequences import advance_counter, ensure_counters_at_least, reserve_numbers
from common.errors import Conflict, InvalidInput
from taxonomy.snapshot import TaxonomySnapshot
from taxonomy.snapshot_cache import current_taxonomy
from tests.factories.accounts import UserFactory
from tests.factories.assets import make_asset, make_assets
from tests.factories.taxonomy import load_starter_taxonomy
from tests.support.media import make_png

CONNECTIONS = 64
REGISTRATION = SequenceReservation.Purpose.REGISTRATION


def registration_data(**fields: Any) -> RegistrationData:
    file = ContentFile(make_png(), name="a.png")
    return RegistrationData(
        **({"file": file, "layer": "L", "category": "CAS", "subcategory": "ATL", "description": "x"} | fields)
    )


def in_parallel(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work(0)` ... `work(count - 1)` at once, each on its own connection."""
    gate = threading.Barrier(count)

    def run(position: int) -> Any:
        try:
            connection.ensure_connection()
            gate.wait(timeout=60)
            return work(position)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_concurrent_registrations_and_failures_leave_no_unexplained_gap() -> None:
    taxonomy = load_starter_taxonomy()
    node = taxonomy.node_by_codes("L", "CAS", "ATL")
    user = UserFactory()
    now = timezone.now()
    registering = 16  # these register assets; the others reserve numbers, and some of them fail

    def work(position: int) -> list[int]:
        if position < registering:
            # each batch has two subcategories: the counters must be locked in one order
            batch = [
                registration_data(),
                registration_data(subcategory="DNM" if position % 2 else "BAS"),
                registration_data(),
            ]
            assets = [asset for _ in range(4) for asset in register_assets(batch, by=user, taxonomy=taxonomy, now=now)]
            return [asset.sequence_number for asset in assets if asset.taxonomy_node_id == node.pk]
        numbers = []
        for turn in range(39):
            try:
                with transaction.atomic():
                    reserved = reserve_numbers([node.pk], purpose=REGISTRATION, by=user.email, now=now)
                    if turn % 13 == 12:
                        raise Conflict("rolled back before the number was committed")
            except Conflict:
                continue
            numbers += [entry.number for entry in reserved]
        return numbers

    taken = [number for numbers in in_parallel(CONNECTIONS, work) for number in numbers]
    expected = registering * 8 + (CONNECTIONS - registering) * 36
    assert len(taken) == expected
    assert sorted(taken) == list(range(1, expected + 1))
    used = set(Asset.objects.filter(taxonomy_node=node.pk).values_list("sequence_number", flat=True))
    explained = set(SequenceReservation.objects.filter(taxonomy_node=node.pk).values_list("number", flat=True))
    assert used | explained == set(range(1, expected + 1))
    assert not used & explained
    assert len(used) == registering * 8
    counter = SequenceCounter.objects.get(taxonomy_node=node.pk)
    assert (counter.last_number, counter.live_count) == (expected, len(used))
    assert not check_consistency(current_taxonomy())


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_concurrent_registrations_have_no_gap() -> None:
    taxonomy = load_starter_taxonomy()
    user = UserFactory()
    now = timezone.now()

    def work(position: int) -> list[str]:
        items = [registration_data() for _ in range(32 if position < 16 else 31)]
        half = len(items) // 2
        made = register_assets(items[:half], by=user, taxonomy=taxonomy, now=now)
        made += register_assets(items[half:], by=user, taxonomy=taxonomy, now=now)
        return [asset.name for asset in made]

    names = [name for made in in_parallel(CONNECTIONS, work) for name in made]
    assert len(names) == 2000
    assert sorted(names) == sorted(f"L.CAS.ATL.{number:03d}" for number in range(1, 2001))
    assert Asset.objects.count() == 2000
    assert Asset.history.count() == 2000
    assert len(default_storage.listdir("L/CAS/ATL")[1]) == 2000
    assert not SequenceReservation.objects.exists()


@pytest.mark.django_db
def test_number_1000_has_four_digits(taxonomy: TaxonomySnapshot) -> None:
    node = taxonomy.node_by_codes("L", "CAS", "ATL")
    ensure_counters_at_least({node.pk: 998})
    user = UserFactory()
    made = register_assets(
        [registration_data(), registration_data(), registration_data()], by=user, taxonomy=taxonomy, now=timezone.now()
    )
    assert [asset.name for asset in made] == ["L.CAS.ATL.999", "L.CAS.ATL.1000", "L.CAS.ATL.1001"]
    assert made[1].nna_address == "L.001.002.1000"
    assert taxonomy.hfn_to_mfa("L.CAS.ATL.1000") == "L.001.002.1000"


@pytest.mark.django_db(transaction=True)
def test_a_killed_registration_leaves_a_reservation(monkeypatch: Any) -> None:
    taxonomy = load_starter_taxonomy()
    user: User = UserFactory()
    now = timezone.now()

    class Killed(BaseException):
        """Simulates a killed worker: `except Exception` does not catch it."""

    def die(*args: Any, **kwargs: Any) -> None:
        raise Killed

    monkeypatch.setattr(registration, "consume_reservations", die)
    with pytest.raises(Killed):
        register_asset(registration_data(), by=user, taxonomy=taxonomy, now=now)
    monkeypatch.undo()
    assert not Asset.objects.exists()
    assert not default_storage.exists("L/CAS/ATL/L.CAS.ATL.001.png")
    reservation = SequenceReservation.objects.get()
    assert (reservation.number, reservation.expires_at) == (1, now + timedelta(minutes=5))
    assert register_asset(registration_data(), by=user, taxonomy=taxonomy, now=now).sequence_number == 2
    assert not check_consistency(taxonomy)


@pytest.mark.django_db
def test_a_batch_with_a_rejected_file_reserves_no_number(taxonomy: TaxonomySnapshot) -> None:
    bad = registration_data(file=ContentFile(b"no picture", name="a.png"))
    with pytest.raises(InvalidInput):
        register_assets(
            [registration_data(), registration_data(), bad], by=UserFactory(), taxonomy=taxonomy, now=timezone.now()
        )
    assert not SequenceCounter.objects.exists()


@pytest.mark.django_db
def test_counters_are_never_lowered(taxonomy: TaxonomySnapshot) -> None:
    node = taxonomy.node_by_codes("L", "CAS", "ATL")
    ensure_counters_at_least({node.pk: 5})
    ensure_counters_at_least({node.pk: 3})
    assert advance_counter(node.pk, 2) == 6
    assert SequenceCounter.objects.get().last_number == 7


@pytest.mark.django_db
def test_constraints_reject_invalid_rows() -> None:
    asset = make_asset()
    for change in (
        {"sequence_number": asset.sequence_number},
        {"sequence_number": 0, "name": "L.CAS.ATL.000"},
        {"name": "S.CAS.ATL.002"},
        {"name": "L.CAS.ATL.003"},
        {"nna_address": "L.1.2.3"},
        {"public_id": "NOT24HEX"},
        {"media_key": "", "media_url": ""},
        {"creator_description": "x" * 501},
        {"ai_metadata": [1]},
    ):
        with pytest.raises((IntegrityError, Exception)), transaction.atomic():
            make_asset(**change)
    assert Asset.objects.count() == 1


@pytest.mark.django_db
def test_wrong_counters_are_reported_and_repaired(taxonomy: TaxonomySnapshot, capsys: Any) -> None:
    make_assets(3)
    make_asset("S.POP.DIV", nna_address="S.001.001.001")
    SequenceCounter.objects.filter(taxonomy_node__code="ATL").update(last_number=1, live_count=9)
    report = check_consistency(taxonomy)
    assert report.counters == ["L.CAS.ATL: the counter is at 1, number 3 is in use"]
    assert report.live_counts == ["L.CAS.ATL: the counter has 9 live assets, the table has 3"]
    assert any("S.POP.DIV.001" in line for line in report.addresses)
    with pytest.raises(CommandError):
        call_command("check_sequences")
    assert repair_counters() == 1
    assert repair_counters() == 0
    counter = SequenceCounter.objects.get(taxonomy_node__code="ATL")
    assert (counter.last_number, counter.live_count) == (3, 3)
    Asset.objects.filter(name="S.POP.DIV.001").delete()
    with pytest.raises(CommandError):  # no reservation explains the number of the deleted row
        call_command("check_sequences", "--repair")
    SequenceCounter.objects.filter(taxonomy_node__code="DIV").delete()
    call_command("check_sequences")
    assert "agree" in capsys.readouterr().out
