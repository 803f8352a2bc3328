"""Demo data: loaded and deleted."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from assets.consistency import check_consistency
from assets.media_types import HEAD_BYTES, validate_media
from assets.models import Asset, SequenceCounter
from taxonomy.snapshot import TaxonomySnapshot
from tests.factories.assets import make_asset

pytestmark = pytest.mark.django_db


def test_the_demo_has_the_shares_of_the_legacy_registry_and_is_deleted_completely(
    taxonomy: TaxonomySnapshot, capsys: Any
) -> None:
    own = make_asset("L.CAS.ATL")
    call_command("load_demo")
    assert "1103" in capsys.readouterr().out
    demo = Asset.objects.filter(origin="demo")
    assert Counter(demo.values_list("layer", flat=True)) == {"C": 711, "L": 157, "S": 87, "W": 76, "M": 58, "G": 14}
    assert demo.filter(creator_description=None, album_art=None, ai_metadata__isnull=True).count() == 1103
    assert demo.filter(created_at__lt=datetime(2025, 5, 15, tzinfo=UTC)).count() == 0
    assert not check_consistency(taxonomy)
    parts = {part for row in demo.filter(layer="C") for part in row.components}
    assert set(Asset.objects.filter(nna_address__in=parts).values_list("nna_address", flat=True)) == parts
    for layer in "CLSWMG":
        row = demo.filter(layer=layer).first()
        with default_storage.open(row.media_key) as content:
            head = content.read(HEAD_BYTES)
        found = validate_media(layer=layer, filename=row.media_key, head=head, is_whole=False, is_enforced=True)
        assert found.mime_type == row.mime_type
    call_command("clear_demo")
    assert list(Asset.objects.values_list("pk", flat=True)) == [own.pk]
    assert list(SequenceCounter.objects.values_list("taxonomy_node", flat=True)) == [own.taxonomy_node_id]
    assert not default_storage.exists(demo_key(default_storage))
    assert make_asset("L.CAS.ATL").sequence_number > 1


def demo_key(storage: Any) -> str:
    """Return the key of a file below the layer folders, or a key that does not exist."""
    pending = [layer for layer in "CLSWMG" if storage.exists(layer)]
    while pending:
        folder = pending.pop()
        folders, files = storage.listdir(folder)
        if files:
            return f"{folder}/{files[0]}"
        pending += [f"{folder}/{name}" for name in folders]
    return "nothing"


def test_demo_components_of_another_composite_are_not_deleted(taxonomy: TaxonomySnapshot) -> None:
    call_command("load_demo", "--assets", "60")
    part = Asset.objects.filter(origin="demo", layer="L").first()
    make_asset("C.MIX.OFF", components=[part.nna_address])
    with pytest.raises(CommandError, match="components"):
        call_command("clear_demo")
    assert Asset.objects.filter(origin="demo").count() == 60


def test_an_invalid_count_and_a_missing_taxonomy_are_rejected(db: None) -> None:
    with pytest.raises(CommandError):
        call_command("load_demo", "--assets", "0")
    with pytest.raises(CommandError):
        call_command("load_demo", "--assets", "10")
