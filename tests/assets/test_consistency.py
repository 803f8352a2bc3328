"""Consistency of counters, numbers and addresses."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from assets import tasks
from assets.consistency import check_consistency, expire_stale_reservations
from assets.models import Asset, SequenceCounter, SequenceReservation
from assets.sequences import reserve_numbers
from taxonomy.snapshot_cache import current_taxonomy
from tests.factories.assets import make_asset, make_assets
from tests.factories.taxonomy import make_node

pytestmark = pytest.mark.django_db


def run(*flags: str) -> str:
    out = StringIO()
    call_command("check_sequences", *flags, stdout=out, no_color=True)
    return out.getvalue()


def test_a_consistent_registry_has_no_findings():
    make_assets(5)
    make_asset("C.MIX.OFF", components=["L.001.002.001"])
    assert "agree" in run()


def test_a_counter_that_is_behind_is_raised():
    make_assets(3)
    SequenceCounter.objects.update(last_number=1)
    with pytest.raises(CommandError, match="1 findings"):
        run()
    assert "1 counters repaired" in run("--repair")
    assert SequenceCounter.objects.get().last_number == 3
    assert "0 counters repaired" in run("--repair")


def test_a_counter_that_is_ahead_is_not_lowered():
    make_assets(2, origin=Asset.Origin.IMPORT)
    SequenceCounter.objects.update(last_number=40)
    run("--repair")
    assert SequenceCounter.objects.get().last_number == 40


def test_a_wrong_live_count_is_corrected():
    make_assets(3)
    SequenceCounter.objects.update(live_count=7)
    with pytest.raises(CommandError):
        run()
    run("--repair")
    assert SequenceCounter.objects.get().live_count == 3


def test_only_a_reservation_explains_a_gap():
    [asset, *_] = make_assets(3)
    node = make_node("L", "CAS", "ATL")
    reserve_numbers([node.pk], purpose=SequenceReservation.Purpose.REQUEST, by="x@y.example", now=timezone.now())
    assert not check_consistency(current_taxonomy())
    asset.delete()  # not possible through the application
    assert check_consistency(current_taxonomy()).unexplained_gaps == [
        "L.CAS.ATL: 1 numbers have neither an asset nor a reservation"
    ]


def test_an_address_that_differs_from_the_name_is_reported():
    asset = make_asset()
    Asset.objects.filter(pk=asset.pk).update(nna_address="L.001.003.001")
    assert (
        "the address is L.001.003.001, the name means L.001.002.001"
        in check_consistency(current_taxonomy()).addresses[0]
    )


def test_the_scheduled_check_logs_each_finding_as_an_error(caplog):
    make_assets(2)
    SequenceCounter.objects.update(last_number=0)
    tasks.check_consistency()
    assert [record.levelname for record in caplog.records if record.name == "assets.tasks"] == ["ERROR"]


def test_the_file_of_an_expired_reservation_is_deleted_and_its_number_stays_unused():
    node = make_node("L", "CAS", "ATL")
    long_ago = timezone.now() - timedelta(hours=1)
    purpose = SequenceReservation.Purpose.REGISTRATION
    [reserved] = reserve_numbers([node.pk], purpose=purpose, by="x@y.example", now=long_ago)
    key = "L/CAS/ATL/L.CAS.ATL.001.png"
    SequenceReservation.objects.update(media_key=key)
    default_storage.save(key, ContentFile(b"half a registration"))
    tasks.expire_reservations()
    assert not default_storage.exists(key)
    assert SequenceReservation.objects.get().released_at is not None
    assert make_asset().sequence_number == reserved.number + 1


def test_a_registration_in_progress_does_not_expire():
    node = make_node("L", "CAS", "ATL")
    now = timezone.now()
    reserve_numbers([node.pk], purpose=SequenceReservation.Purpose.REGISTRATION, by="x@y.example", now=now)
    assert expire_stale_reservations(now + timedelta(seconds=299)) == 0
    assert expire_stale_reservations(now + timedelta(seconds=301)) == 1


def test_the_file_of_a_registered_asset_is_never_deleted():
    asset = make_asset()
    default_storage.save(asset.media_key, ContentFile(b"bytes"))
    node = make_node("L", "CAS", "ATL")
    long_ago = timezone.now() - timedelta(hours=1)
    reserve_numbers([node.pk], purpose=SequenceReservation.Purpose.REGISTRATION, by="x@y.example", now=long_ago)
    SequenceReservation.objects.update(media_key=asset.media_key)
    expire_stale_reservations(timezone.now())
    assert default_storage.exists(asset.media_key)
