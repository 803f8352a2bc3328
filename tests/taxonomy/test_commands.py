import io
import json

import pytest
from django.core.management import CommandError, call_command

from taxonomy.models import Subcategory
from taxonomy.snapshot_cache import current_taxonomy
from tests.factories.taxonomy import small_document

pytestmark = pytest.mark.django_db


def run(name, *arguments, **options):
    output = io.StringIO()
    call_command(name, *arguments, stdout=output, **options)
    return output.getvalue()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "taxonomy.json"
    path.write_text(json.dumps(small_document()))
    return path


def test_import_reports_counts_and_a_second_import_changes_nothing(file):
    assert "version 1.0.0: 30 added, 0 modified, 0 removed" in run("import_taxonomy", file)
    assert "Nothing to do" in run("import_taxonomy", file)


def test_a_dry_run_changes_nothing(file):
    assert "Would become" in run("import_taxonomy", file, dry_run=True)
    assert current_taxonomy().version == "0.0.0"


def test_import_reads_standard_input(file, monkeypatch):
    with file.open() as source:
        monkeypatch.setattr("sys.stdin", source)
        assert "30 added" in run("import_taxonomy", "-")


def test_import_lists_every_error(tmp_path):
    document = small_document()
    document["layers"][0]["code"] = "E"
    document["layers"][1]["categories"][0]["numeric"] = 0
    (tmp_path / "bad.json").write_text(json.dumps(document))
    with pytest.raises(CommandError) as caught:
        run("import_taxonomy", tmp_path / "bad.json")
    assert "layers[0].code must be one of" in str(caught.value)
    assert "layers[1].categories[0].numeric must be 001 to 999" in str(caught.value)


def test_import_names_the_nodes_in_use(file, starter, use_node):
    use_node(starter.resolve("L", "CAS", "ATL"))
    with pytest.raises(CommandError, match=r"removes L\.CAS \(1 asset\)"):
        run("import_taxonomy", file)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b'{"version": NaN}', b"[" * 100_000])
def test_import_rejects_invalid_content(tmp_path, content):
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(CommandError):
        run("import_taxonomy", tmp_path / "bad.json")


def test_import_rejects_a_missing_or_too_large_file(tmp_path, settings):
    with pytest.raises(CommandError, match="cannot read"):
        run("import_taxonomy", tmp_path / "none.json")
    settings.TAXONOMY_MAX_DOCUMENT_BYTES = 10
    (tmp_path / "large.json").write_text(json.dumps(small_document()))
    with pytest.raises(CommandError, match="larger than 10 bytes"):
        run("import_taxonomy", tmp_path / "large.json")


def test_exported_file_imports_without_changes(starter, tmp_path, capfdbinary):
    run("export_taxonomy", str(tmp_path / "out.json"))
    assert "Nothing to do" in run("import_taxonomy", tmp_path / "out.json")
    run("export_taxonomy")
    assert capfdbinary.readouterr().out == (tmp_path / "out.json").read_bytes()


def test_export_reports_an_unwritable_path(starter, tmp_path):
    with pytest.raises(CommandError, match="cannot write"):
        run("export_taxonomy", str(tmp_path / "no" / "folder.json"))


def test_export_without_a_taxonomy_fails():
    with pytest.raises(CommandError, match="no taxonomy"):
        run("export_taxonomy")


def test_check_accepts_the_starter_taxonomy(starter):
    assert "consistent" in run("check_taxonomy")


def test_check_finds_tables_that_differ_from_the_version(starter):
    Subcategory.objects.filter(code="ATL").update(name="Changed")
    with pytest.raises(CommandError, match=r"differ from version 1\.0\.0"):
        run("check_taxonomy")


def test_check_without_a_taxonomy_fails():
    with pytest.raises(CommandError, match="no taxonomy"):
        run("check_taxonomy")
