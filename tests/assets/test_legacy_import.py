"""The legacy registry comes over: every row accounted for, every oddity named, a second run changes nothing."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from assets.legacy_import import ImportReport, import_registry
from assets.models import Asset, SequenceCounter
from taxonomy.snapshot import TaxonomySnapshot
from taxonomy.snapshot_cache import current_taxonomy
from taxonomy.sync import import_document
from tests.factories.assets import make_asset

pytestmark = pytest.mark.django_db
SHARED_DATA = Path(os.environ.get("NNA_SHARED_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")


def document(number: int = 1, place: str = "S.POP.DIV", **changes: Any) -> dict[str, Any]:
    """A document as exported; the starter taxonomy has `S.POP.DIV` at 001.002."""
    name = f"{place}.{number:03d}"
    return {
        "_id": {"$oid": f"{number:024x}"}, "layer": place[0], "category": "Pop", "subcategory": "Pop_Diva",
        "name": name, "nna_address": f"S.001.002.{number:03d}", "gcpStorageUrl": f"https://media.example/{name}.png",
        "source": "ReViz", "tags": ["general"], "description": f"Star {number}", "trainingData": '{"prompts":[]}',
        "rights": '{"source":"Original"}', "components": [""], "registeredBy": "mira@studio.example",
        "createdAt": {"$date": "2025-06-23T19:12:26.657Z"}, "updatedAt": {"$date": "2025-06-23T19:12:26.657Z"},
        "__v": 0,
    } | changes  # fmt: skip


def bring(*documents: Any, dry_run: bool = False) -> ImportReport:
    account = import_registry(enumerate(documents, 1), directory=current_taxonomy(), dry_run=dry_run)
    assert account.is_balanced()
    return account


def test_a_row_comes_over_as_clients_hold_it(directory: TaxonomySnapshot) -> None:
    account = bring(document(7, __v=4))
    assert (account.created, account.warnings, account.rejected) == (1, [], [])
    row = Asset.objects.get()
    assert row.public_id == f"{7:024x}"
    assert (row.name, row.nna_address, row.sequence_number) == ("S.POP.DIV.007", "S.001.002.007", 7)
    assert row.media_url == "https://media.example/S.POP.DIV.007.png"
    assert row.training_data == {"prompts": []}
    assert row.components == []
    assert row.revision == 4
    assert row.origin == "import"
    assert row.created_at.isoformat() == "2025-06-23T19:12:26.657000+00:00"
    person = User.objects.get(email="mira@studio.example")
    assert not person.has_usable_password()
    counter = SequenceCounter.objects.get()
    assert (counter.last_number, counter.live_count) == (7, 1)
    assert make_asset("S.POP.DIV").name == "S.POP.DIV.008"
    assert row.history.get().history_change_reason == "imported"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"nna_address": "S.undefined.undefined.001"}, "address is S.undefined.undefined.001"),
        ({"nna_address": "S.009.009.001"}, "address is S.009.009.001"),
        ({"category": "POP", "subcategory": "DIV"}, "taxonomy is given as POP/DIV"),
        ({"gcpStorageUrl": "https://media.example/x.txt"}, ".txt file"),
        ({"updatedAt": {"$date": "2025-01-01T00:00:00Z"}}, "changed before it was created"),
        ({"description": ""}, "has no description"),
        ({"trainingData": None}, "trainingData is absent"),
    ],
)
def test_an_odd_row_comes_over_and_is_named(directory: TaxonomySnapshot, change: dict[str, Any], words: str) -> None:
    account = bring(document(**change))
    assert account.created == 1, account.rejected
    assert any(words in text for _, name, text in account.warnings if name == "S.POP.DIV.001"), account.warnings
    assert bring(document(**change)).unchanged == 1


def test_odd_composites_come_over_under_their_own_names(directory: TaxonomySnapshot) -> None:
    facts = {"layer": "C", "category": "Music_Videos", "subcategory": "Official", "nna_address": "C.001.001.001"}
    bare = document(1, "C.MIX.OFF", **facts | {"name": "C.MIX.OFF.001:"})
    parted = document(
        2, "C.MIX.OFF",
        **facts | {"name": "C.MIX.OFF.002:S.001.002.001", "nna_address": "C.001.001.002"},
        components=["S.009.009.009"],
    )  # fmt: skip
    account = bring(bare, parted)
    assert account.created == 2, account.rejected
    texts = "\n".join(text for _, _, text in account.warnings)
    assert "bare colon" in texts
    assert "not those in components" in texts
    assert "S.009.009.009" in texts
    assert set(Asset.objects.values_list("name", flat=True)) == {"C.MIX.OFF.001:", "C.MIX.OFF.002:S.001.002.001"}


def test_rows_that_would_break_an_invariant_are_rejected_and_the_rest_comes_over(directory: TaxonomySnapshot) -> None:
    good = document(1)
    account = bring(
        good,
        good,  # the id again
        document(2, _id={"$oid": f"{99:024x}"}, name="S.POP.DIV.001"),  # the name again
        document(3, nna_address="S.001.002.001"),  # the address again
        document(4, name="S.XXX.YYY.004", category="None", subcategory="None"),
        document(5, nna_address="L.001.002.005"),
        document(6, registeredBy=None),
        document(7, rights='{"a":"\\u0000"}'),
        document(8, trainingData='{"a":NaN}'),
        document(9, _id="short"),
        document(10, description="fine"),
        "no object",
    )
    assert (account.read, account.created, len(account.rejected)) == (12, 2, 10)
    assert [position for position, _, _ in sorted(account.rejected)] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 12]
    assert all(text for _, _, text in account.rejected)
    assert set(Asset.objects.values_list("sequence_number", flat=True)) == {1, 10}


def test_a_number_that_another_asset_has_under_another_name_is_rejected_by_name(directory: TaxonomySnapshot) -> None:
    holder = make_asset("S.POP.DIV")
    # Its codes are unknown, so it is placed by the words for category and subcategory: where number 1 is taken.
    account = bring(document(1, "S.OLD.DIV", nna_address="S.044.002.001"), document(2))
    assert account.created == 1
    [(position, name, reason)] = account.rejected
    assert (position, name) == (1, "S.OLD.DIV.001")
    assert reason.startswith("number 1 of subcategory")
    assert reason.endswith(f"belongs to asset {holder.public_id}")


def test_newer_rows_update_and_older_ones_do_not(directory: TaxonomySnapshot, editor: User) -> None:
    bring(document(1), document(2))
    later = {"$date": "2025-07-01T00:00:00.000Z"}
    account = bring(document(1, description="newer", updatedAt=later, __v=2), document(2, description="not newer"))
    assert (account.created, account.updated, account.unchanged) == (0, 1, 1)
    assert list(Asset.objects.order_by("name").values_list("description", "revision")) == [("newer", 2), ("Star 2", 0)]
    Asset.objects.filter(name="S.POP.DIV.001").update(description="ours", updated_at=timezone.now())
    assert bring(document(1, description="newer", updatedAt=later)).unchanged == 1
    assert Asset.objects.get(name="S.POP.DIV.001").description == "ours"


def test_a_dry_run_tells_the_same_and_keeps_nothing(directory: TaxonomySnapshot) -> None:
    documents = [document(n) for n in range(1, 20)] + [document(3), document(20, nna_address="S.x.y.020")]
    dry = bring(*documents, dry_run=True)
    assert not Asset.objects.exists()
    assert not SequenceCounter.objects.exists()
    assert not User.objects.filter(email="mira@studio.example").exists()
    assert dry == bring(*documents)
    assert Asset.objects.count() == 20


@pytest.mark.parametrize("layout", ["lines", "array", "gzip", "bom"])
def test_the_command_reads_every_layout(directory: TaxonomySnapshot, tmp_path: Path, capsys: Any, layout: str) -> None:
    rows = [document(n) for n in range(1, 4)]
    text = json.dumps(rows) if layout == "array" else "\n".join(json.dumps(row) for row in rows)
    content = ("\ufeff" if layout == "bom" else "").encode() + text.encode()
    path = tmp_path / "export"
    path.write_bytes(gzip.compress(content) if layout == "gzip" else content)
    call_command("import_registry", str(path), "--dry-run")
    assert not Asset.objects.exists()
    call_command("import_registry", str(path))
    assert "3 read = 3 created + 0 updated + 0 unchanged + 0 rejected" in capsys.readouterr().out
    call_command("import_registry", str(path))
    assert "3 read = 0 created + 0 updated + 3 unchanged + 0 rejected" in capsys.readouterr().out


def test_the_command_refuses_what_it_cannot_read(directory: TaxonomySnapshot, tmp_path: Path) -> None:
    path = tmp_path / "export"
    for content in (b"\x1f\x8bbroken", b"\xff\xfe\x00{", gzip.compress(b'{"a":1}' * 1000)[:30]):
        path.write_bytes(content)
        with pytest.raises(CommandError):
            call_command("import_registry", str(path))
    with pytest.raises(CommandError):
        call_command("import_registry", str(tmp_path / "absent"))


def test_without_a_taxonomy_the_command_says_so(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="taxonomy"):
        call_command("import_registry", str(tmp_path / "export"))


@pytest.mark.skipif(not (SHARED_DATA / "legacy_registry.jsonl").exists(), reason="the real export is not here")
def test_the_real_export_comes_over_whole_and_twice_the_same(db: None, capsys: Any) -> None:
    import_document(json.loads((SHARED_DATA / "taxonomy.json").read_text()), by=None, now=timezone.now())
    path = str(SHARED_DATA / "legacy_registry.jsonl")
    call_command("import_registry", path)
    out = capsys.readouterr().out
    assert "1103 read = 1103 created + 0 updated + 0 unchanged + 0 rejected" in out
    assert "layers: C 711, L 156, S 87, W 76, M 58, G 15" in out
    assert "G.undefined.undefined.001" in out
    before = list(Asset.objects.order_by("pk").values())
    counters = list(SequenceCounter.objects.order_by("pk").values())
    call_command("import_registry", path)
    assert "1103 read = 0 created + 0 updated + 1103 unchanged + 0 rejected" in capsys.readouterr().out
    assert list(Asset.objects.order_by("pk").values()) == before
    assert list(SequenceCounter.objects.order_by("pk").values()) == counters
    assert Asset.history.count() == 1103
    for node_pk, highest in Asset.objects.order_by().values_list("taxonomy_node").distinct().values_list(
        "taxonomy_node", "sequence_number"
    ):  # fmt: skip
        assert SequenceCounter.objects.get(pk=node_pk).last_number >= highest
