"""Import of the legacy registry."""

import gzip
import json
import os
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from assets import legacy_import
from assets.import_report import ImportReport, MessageFile
from assets.legacy_import import import_registry
from assets.models import Asset, SequenceCounter
from taxonomy.snapshot import TaxonomySnapshot
from taxonomy.snapshot_cache import current_taxonomy
from taxonomy.sync import import_document
from tests.factories.assets import make_asset
from tests.factories.taxonomy import load_starter_taxonomy

pytestmark = pytest.mark.django_db
SHARED_DATA = Path(os.environ.get("NNA_SHARED_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")


def document(number: int = 1, place: str = "S.POP.DIV", **changes: Any) -> dict[str, Any]:
    """Return an exported document; the starter taxonomy has `S.POP.DIV` at 001.002."""
    name = f"{place}.{number:03d}"
    return {
        "_id": {"$oid": f"{number:024x}"}, "layer": place[0], "category": "Pop", "subcategory": "Pop_Diva",
        "name": name, "nna_address": f"S.001.002.{number:03d}", "gcpStorageUrl": f"https://media.example/{name}.png",
        "source": "ReViz", "tags": ["general"], "description": f"Star {number}", "trainingData": '{"prompts":[]}',
        "rights": '{"source":"Original"}', "components": [""], "registeredBy": "mira@studio.example",
        "createdAt": {"$date": "2025-06-23T19:12:26.657Z"}, "updatedAt": {"$date": "2025-06-23T19:12:26.657Z"},
        "__v": 0,
    } | changes  # fmt: skip


def import_documents(*documents: Any, dry_run: bool = False) -> ImportReport:
    report = import_registry(enumerate(documents, 1), taxonomy=current_taxonomy(), dry_run=dry_run)
    assert report.is_balanced()
    return report


def test_an_imported_row_keeps_id_name_address_and_dates(taxonomy: TaxonomySnapshot) -> None:
    report = import_documents(document(7, __v=4))
    assert (report.created, report.warnings, report.rejected) == (1, [], [])
    row = Asset.objects.get()
    assert row.public_id == f"{7:024x}"
    assert (row.name, row.nna_address, row.sequence_number) == ("S.POP.DIV.007", "S.001.002.007", 7)
    assert row.media_url == "https://media.example/S.POP.DIV.007.png"
    assert row.training_data == {"prompts": []}
    assert row.components == []
    assert row.revision == 4
    assert row.origin == "import"
    assert row.created_at.isoformat() == "2025-06-23T19:12:26.657000+00:00"
    user = User.objects.get(email="mira@studio.example")
    assert not user.has_usable_password()
    counter = SequenceCounter.objects.get()
    assert (counter.last_number, counter.live_count) == (7, 1)
    assert make_asset("S.POP.DIV").name == "S.POP.DIV.008"
    assert row.history.get().history_change_reason == "imported"


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        ({"nna_address": "S.undefined.undefined.001"}, "address is S.undefined.undefined.001"),
        ({"nna_address": "S.009.009.001"}, "address is S.009.009.001"),
        ({"category": "POP", "subcategory": "DIV"}, "taxonomy is given as POP/DIV"),
        ({"gcpStorageUrl": "https://media.example/x.txt"}, ".txt file"),
        ({"updatedAt": {"$date": "2025-01-01T00:00:00Z"}}, "updatedAt is before createdAt"),
        ({"description": ""}, "has no description"),
        ({"trainingData": None}, "trainingData is absent"),
    ],
)
def test_an_unusual_row_is_imported_with_a_warning(
    taxonomy: TaxonomySnapshot, change: dict[str, Any], warning: str
) -> None:
    report = import_documents(document(**change))
    assert report.created == 1, report.rejected
    assert any(warning in text for _, name, text in report.warnings if name == "S.POP.DIV.001"), report.warnings
    assert import_documents(document(**change)).unchanged == 1


def test_unusual_composites_are_imported_with_their_names(taxonomy: TaxonomySnapshot) -> None:
    facts = {"layer": "C", "category": "Music_Videos", "subcategory": "Official", "nna_address": "C.001.001.001"}
    bare = document(1, "C.MIX.OFF", **facts | {"name": "C.MIX.OFF.001:"})
    parted = document(
        2, "C.MIX.OFF",
        **facts | {"name": "C.MIX.OFF.002:S.001.002.001", "nna_address": "C.001.001.002"},
        components=["S.009.009.009"],
    )  # fmt: skip
    report = import_documents(bare, parted)
    assert report.created == 2, report.rejected
    texts = "\n".join(text for _, _, text in report.warnings)
    assert "bare colon" in texts
    assert "differ from the field components" in texts
    assert "S.009.009.009" in texts
    assert set(Asset.objects.values_list("name", flat=True)) == {"C.MIX.OFF.001:", "C.MIX.OFF.002:S.001.002.001"}


def test_invalid_rows_are_rejected_and_the_others_are_imported(taxonomy: TaxonomySnapshot) -> None:
    good = document(1)
    report = import_documents(
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
    assert (report.read, report.created, len(report.rejected)) == (12, 2, 10)
    assert [position for position, _, _ in sorted(report.rejected)] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 12]
    assert all(text for _, _, text in report.rejected)
    assert set(Asset.objects.values_list("sequence_number", flat=True)) == {1, 10}


def test_a_number_of_another_asset_is_rejected(taxonomy: TaxonomySnapshot) -> None:
    other = make_asset("S.POP.DIV")
    # The codes are unknown, so category and subcategory resolve the node, where number 1 is taken.
    report = import_documents(document(1, "S.OLD.DIV", nna_address="S.044.002.001"), document(2))
    assert report.created == 1
    [(position, name, reason)] = report.rejected
    assert (position, name) == (1, "S.OLD.DIV.001")
    assert reason.startswith("number 1 of subcategory")
    assert reason.endswith(f"belongs to asset {other.public_id}")


def test_only_newer_rows_update_assets(taxonomy: TaxonomySnapshot, editor: User) -> None:
    import_documents(document(1), document(2))
    later = {"$date": "2025-07-01T00:00:00.000Z"}
    report = import_documents(
        document(1, description="newer", updatedAt=later, __v=2), document(2, description="not newer")
    )
    assert (report.created, report.updated, report.unchanged) == (0, 1, 1)
    assert list(Asset.objects.order_by("name").values_list("description", "revision")) == [("newer", 2), ("Star 2", 0)]
    Asset.objects.filter(name="S.POP.DIV.001").update(description="ours", updated_at=timezone.now())
    assert import_documents(document(1, description="newer", updatedAt=later)).unchanged == 1
    assert Asset.objects.get(name="S.POP.DIV.001").description == "ours"


def test_a_dry_run_reports_the_same_and_writes_nothing(taxonomy: TaxonomySnapshot) -> None:
    documents = [document(n) for n in range(1, 20)] + [document(3), document(20, nna_address="S.x.y.020")]
    dry = import_documents(*documents, dry_run=True)
    assert not Asset.objects.exists()
    assert not SequenceCounter.objects.exists()
    assert not User.objects.filter(email="mira@studio.example").exists()
    assert dry == import_documents(*documents)
    assert Asset.objects.count() == 20


@pytest.mark.parametrize("dry_run", [False, True])
def test_rows_of_different_batches_conflict_like_rows_of_one(
    taxonomy: TaxonomySnapshot, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    composite = {"layer": "C", "category": "Music_Videos", "subcategory": "Official"}
    make_asset("S.POP.DIV", public_id=f"{50:024x}")  # has number 1
    documents = [
        document(2),
        document(3, nna_address="S.001.002.002"),  # claims its name, but the address belongs to row 1
        document(4),
        document(2, name="S.POP.DIV.009"),  # the id of row 1
        document(5, name="S.POP.DIV.003", nna_address="S.001.002.005"),  # the name that row 2 claimed
        document(6, name="S.POP.DIV.004", nna_address="S.001.002.006"),  # the name of row 3
        document(7, name="S.POP.DIV.001", nna_address="S.001.002.007"),  # the name of a stored asset
        document(
            8, "C.MIX.OFF", **composite, name="C.MIX.OFF.008:S.001.002.010:S.001.002.002:S.009.009.009",
            nna_address="C.001.001.008", components=["S.001.002.010", "S.001.002.002", "S.009.009.009"],
        ),
        document(10),
    ]  # fmt: skip
    whole = import_documents(*documents, dry_run=True)
    monkeypatch.setattr(legacy_import, "BATCH_ROWS", 1)
    report = import_documents(*documents, dry_run=dry_run)
    assert report == whole
    assert [position for position, _, _ in report.rejected] == [2, 4, 5, 6, 7]
    assert [text for _, _, text in report.rejected][:2] == [
        f"address S.001.002.002 belongs to asset {2:024x}",
        "has the id of row 1",
    ]
    assert "components that are not in the registry: S.009.009.009" in [text for _, _, text in report.warnings]
    assert Asset.objects.count() == (1 if dry_run else 5)


def test_an_update_leaves_the_values_of_absent_keys(taxonomy: TaxonomySnapshot) -> None:
    values = {
        "creatorDescription": "by hand", "albumArt": "https://art.example/1.jpg", "aiMetadata": {"mood": "calm"},
        "source": "Studio", "__v": 7,
    }  # fmt: skip
    import_documents(document(1, **values))
    Asset.objects.update(ai_metadata_origin="backfill", curated_by="mira@studio.example")
    before = Asset.objects.values().get()
    later = {"$date": "2025-07-01T00:00:00.000Z"}
    newer = document(1, updatedAt=later, description="newer", tags=["other"], rights=None)
    for key in ("source", "trainingData", "components", "__v"):
        del newer[key]
    assert import_documents(newer).updated == 1
    changes = {name: value for name, value in Asset.objects.values().get().items() if value != before[name]}
    assert changes.pop("updated_at").isoformat() == "2025-07-01T00:00:00+00:00"
    assert changes["rights"] is None
    assert set(changes) == {"description", "tags", "rights", "search_text", "full_search_text", "document"}
    newer |= {"updatedAt": {"$date": "2025-08-01T00:00:00.000Z"}, "aiMetadata": {"mood": "wild"}}
    import_documents(newer)
    asset = Asset.objects.get()
    assert (asset.ai_metadata, asset.ai_metadata_origin, asset.revision) == ({"mood": "wild"}, "", 7)


def test_history_rows_have_the_imported_values_without_image_bytes(taxonomy: TaxonomySnapshot) -> None:
    image = "data:image/png;base64,iVBORw0KGgo="
    import_documents(document(1, albumArt=image), document(2, albumArt="https://art.example/2.jpg"))
    import_documents(document(1, albumArt=image, updatedAt={"$date": "2025-07-01T00:00:00Z"}))
    rows = Asset.history.order_by("history_id").values_list("history_type", "history_change_reason", "album_art")
    assert list(rows) == [
        ("+", "imported", None), ("+", "imported", "https://art.example/2.jpg"), ("~", "imported again", None),
    ]  # fmt: skip
    names = [field.attname for field in Asset.history.model.tracked_fields if field.name != "album_art"]
    for asset in Asset.objects.all():
        latest = asset.history.latest()
        assert [getattr(asset, name) for name in names] == [getattr(latest, name) for name in names]
        assert latest.history_user is None
    assert Asset.objects.get(sequence_number=1).album_art == image


def test_tags_and_components_keep_every_character(taxonomy: TaxonomySnapshot) -> None:
    texts = ["a,b", '"quoted"', "back\\slash", "{brace}", "NULL", "", "ä \n", "\\"]
    import_documents(document(1, tags=texts, components=texts))
    asset = Asset.objects.get()
    assert asset.tags == texts
    assert asset.components == [text for text in texts if text.strip()]


def test_the_number_of_queries_does_not_grow_with_the_rows(taxonomy: TaxonomySnapshot) -> None:
    def queries(*documents: Any) -> int:
        with CaptureQueriesContext(connection) as context:
            import_documents(*documents)
        return len(context)

    import_documents(document(900))  # creates the registrant
    nodes = [node for node in taxonomy.nodes() if node.layer == "S"]
    many = [
        document(
            100 + number, f"S.{node.category_code}.{node.code}", category=node.category_name, subcategory=node.name,
            nna_address=node.mfa(100 + number),
        )
        for number, node in enumerate(nodes)
    ]  # fmt: skip
    assert len(nodes) > 10
    assert queries(document(1), document(2)) == queries(*many)
    assert Asset.objects.count() == 3 + len(nodes)


@pytest.mark.django_db(transaction=True)
def test_a_concurrent_newer_change_is_not_overwritten() -> None:
    load_starter_taxonomy()
    import_documents(document(1))
    reports = []

    def import_newer() -> None:
        try:
            reports.append(import_documents(document(1, description="export", updatedAt={"$date": "2025-07-01"})))
        finally:
            connection.close()

    importer = threading.Thread(target=import_newer)
    with transaction.atomic(), connection.cursor() as cursor:
        Asset.objects.update(description="ours", updated_at=timezone.now())
        importer.start()
        for _ in range(300):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                break
            time.sleep(0.05)
        else:
            pytest.fail("the import did not wait for the lock of the row")
    importer.join(30)
    assert [(report.updated, report.unchanged) for report in reports] == [(0, 1)]
    assert Asset.objects.get().description == "ours"
    assert Asset.history.count() == 1


def peak_memory(rows: int, *, first: int) -> int:
    """Import new rows with three warnings each and return the peak of Python's memory, in bytes."""
    documents = (
        (number, document(number, trainingData=None, rights=None, description=""))
        for number in range(first, first + rows)
    )
    tracemalloc.start()
    try:
        report = import_registry(
            documents, taxonomy=current_taxonomy(), report=ImportReport(rejected=MessageFile(), warnings=MessageFile())
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (report.created, len(report.warnings)) == (rows, 3 * rows)
    return peak


def assert_memory_is_flat(
    taxonomy: TaxonomySnapshot, monkeypatch: pytest.MonkeyPatch, *, batch_rows: int, batches: int
) -> None:
    monkeypatch.setattr(legacy_import, "BATCH_ROWS", batch_rows)
    peak_memory(batch_rows, first=1)  # fills caches
    small = peak_memory(4 * batch_rows, first=10 * batch_rows)
    large = peak_memory(batches * batch_rows, first=20 * batch_rows)
    assert large < 1.25 * small


def test_memory_does_not_grow_with_the_export(taxonomy: TaxonomySnapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_memory_is_flat(taxonomy, monkeypatch, batch_rows=200, batches=16)


@pytest.mark.slow
@pytest.mark.full
def test_memory_does_not_grow_with_a_large_export(taxonomy: TaxonomySnapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_memory_is_flat(taxonomy, monkeypatch, batch_rows=1000, batches=60)


@pytest.mark.parametrize("layout", ["lines", "array", "gzip", "bom"])
def test_the_command_reads_all_layouts(taxonomy: TaxonomySnapshot, tmp_path: Path, capsys: Any, layout: str) -> None:
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


def test_the_command_rejects_unreadable_files(taxonomy: TaxonomySnapshot, tmp_path: Path) -> None:
    path = tmp_path / "export"
    for content in (b"\x1f\x8bbroken", b"\xff\xfe\x00{", gzip.compress(b'{"a":1}' * 1000)[:30]):
        path.write_bytes(content)
        with pytest.raises(CommandError):
            call_command("import_registry", str(path))
    with pytest.raises(CommandError):
        call_command("import_registry", str(tmp_path / "absent"))


def test_the_command_fails_without_a_taxonomy(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="taxonomy"):
        call_command("import_registry", str(tmp_path / "export"))


@pytest.mark.skipif(not (SHARED_DATA / "legacy_registry.jsonl").exists(), reason="the real export is not here")
def test_the_legacy_export_is_imported_completely_and_repeatably(db: None, capsys: Any) -> None:
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
