"""Backfilled values of legacy assets: their origin, their visibility, and the rollout guard."""

import re
import string

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import User
from assets.backfill_rules import AI_METADATA_RULE, CREATOR_DESCRIPTION_RULE
from assets.descriptions import MAX_CREATOR_DESCRIPTION_LENGTH, extract_creator_description
from assets.editing import edit_asset
from assets.models import Asset
from assets.rollout_guards import ai_metadata_backfill_pending, creator_description_backfill_pending
from backfills.run_control import begin_undo, finalise
from common.errors import Conflict
from flags.editing import update_flag
from taxonomy.snapshot_cache import current_taxonomy
from tests.factories.assets import make_asset, make_assets
from tests.support.backfills import BY, run_to_the_end, started
from tests.support.flag_states import set_flags

WORDS = st.text(string.ascii_letters + "äöü '!?-", min_size=1, max_size=80).map(str.strip).filter(bool)


@given(words=WORDS)
def test_the_creators_text_is_extracted_from_a_generated_description(words: str) -> None:
    text = f"Asset {words} (L.CAS.ATL)"
    assert extract_creator_description(text, name="L.CAS.ATL.001", layer="L") == " ".join(words.split())


@pytest.mark.parametrize(
    ("description", "layer", "expected"),
    [
        ("Asset L.CAS.ATL.001 (L.CAS.ATL)", "L", None),
        ("Asset l.cas.atl.001 (L.CAS.ATL)", "L", None),
        ("A dress of silk", "L", None),
        ("Asset (L.CAS.ATL)", "L", None),
        ("", "L", None),
        ("Asset " + "x" * 501 + " (L.CAS.ATL)", "L", None),
        ("Slow Water by The Ferries. A ballad.", "G", "Slow Water by The Ferries"),
        ("Slow Water by The Ferries", "G", "Slow Water by The Ferries"),
        ("Slow Water by The Ferries. A ballad.", "L", None),
        ("A song about rain. Written by night.", "G", None),
        ("Slow Water – The Ferries", "G", None),
    ],
)
def test_the_creators_text_is_extracted(description: str, layer: str, expected: str | None) -> None:
    assert extract_creator_description(description, name="L.CAS.ATL.001", layer=layer) == expected


@given(description=st.text(max_size=300), layer=st.sampled_from("GL"))
def test_extracted_text_fits_the_column(description: str, layer: str) -> None:
    text = extract_creator_description(description, name="G.POP.BAS.001", layer=layer)
    assert text is None or 0 < len(text) <= MAX_CREATOR_DESCRIPTION_LENGTH


@pytest.mark.django_db
def test_backfilled_ai_metadata_names_no_model() -> None:
    asset = make_asset()
    run_to_the_end(started(AI_METADATA_RULE))
    asset.refresh_from_db()
    assert asset.ai_metadata == {
        "generatedBy": "Legacy",
        "generationStrategy": "pre-ai",
        "generatedAt": asset.created_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "confidence": 0.5,
    }
    assert asset.ai_metadata_origin == "backfill"
    measured = make_asset(ai_metadata={"mood": "calm"})
    assert list(Asset.objects.with_generated_ai_metadata()) == [measured]


@pytest.mark.django_db
def test_registered_before_excludes_later_assets() -> None:
    assets = make_assets(10)
    run_to_the_end(
        started(CREATOR_DESCRIPTION_RULE, parameters={"registered_before": assets[4].created_at.isoformat()})
    )
    assert Asset.objects.filter(creator_description_origin="backfill").count() == 4


def _fill() -> None:
    for rule in (CREATOR_DESCRIPTION_RULE, AI_METADATA_RULE):
        run_to_the_end(started(rule))


@pytest.mark.django_db
def test_backfilled_values_are_marked_and_can_be_filtered(editor_api: APIClient) -> None:
    filled = make_asset()
    _fill()
    own = make_asset(creator_description="my text", ai_metadata={"mood": "calm"})
    with set_flags("creator_description", "ai_metadata"):
        document = editor_api.get(f"/api/assets/{filled.name}").json()["data"]
        assert document["creatorDescription"] == filled.name
        assert (document["creatorDescriptionOrigin"], document["aiMetadataOrigin"]) == ("backfill", "backfill")
        document = editor_api.get(f"/api/assets/{own.name}").json()["data"]
        assert not {"creatorDescriptionOrigin", "aiMetadataOrigin"} & set(document)
        for origin, asset in (("person", own), ("backfill", filled)):
            items = editor_api.get("/api/assets", {"creatorDescriptionOrigin": origin}).json()["data"]["items"]
            assert [item["name"] for item in items] == [asset.name]
        assert len(editor_api.get("/api/assets", {"creatorDescriptionOrigin": "x"}).json()["data"]["items"]) == 2
    responses = [editor_api.get(f"/api/assets/{asset.name}").text for asset in (filled, own)]
    assert not any('rigin"' in text.replace("originalFilename", "") for text in responses), (
        "no origin keys while the flags are off"
    )
    items = editor_api.get("/api/assets", {"creatorDescriptionOrigin": "backfill"}).json()["data"]["items"]
    assert len(items) == 2


@pytest.mark.django_db
def test_responses_with_flags_off_do_not_change_by_a_backfill(editor_api: APIClient, service_api: APIClient) -> None:
    asset = make_asset(description="Asset Silk (L.CAS.ATL)")
    paths = [
        f"/api/assets/{asset.name}",
        "/api/assets",
        "/api/assets?search=silk",
        f"/api/assets/{asset.name}/metadata",
    ]

    def responses() -> list[str]:
        texts = [client.get(path).text for client in (editor_api, service_api) for path in paths]
        return [re.sub(r'"timestamp" ?: ?"[^"]+"', "", text) for text in texts]

    before = responses()
    _fill()
    assert responses() == before


@pytest.mark.django_db
def test_a_backfilled_creator_description_is_not_searched(editor_api: APIClient) -> None:
    make_asset(description="plain", creator_description="rust", creator_description_origin="")
    make_asset(description="plain", creator_description="rust", creator_description_origin="backfill")
    with set_flags("search_creator_description", "creator_description"):
        found = editor_api.get("/api/assets", {"search": "rust"}).json()["data"]["items"]
    assert len(found) == 1
    assert "creatorDescriptionOrigin" not in found[0]


@pytest.mark.django_db
def test_an_origin_is_cleared_by_a_change_and_not_by_an_unchanged_value(admin_user: User) -> None:
    asset = make_asset()
    _fill()
    asset.refresh_from_db()
    edit = {"by": admin_user, "taxonomy": current_taxonomy(), "now": timezone.now()}
    sent_back = {"creator_description": asset.name, "ai_metadata": asset.ai_metadata, "description": "new"}
    same = edit_asset(asset.pk, sent_back, **edit)
    assert (same.creator_description_origin, same.ai_metadata_origin) == ("backfill", "backfill")
    changed = edit_asset(asset.pk, {"creator_description": "my text", "ai_metadata": {"mood": "calm"}}, **edit)
    assert (changed.creator_description_origin, changed.ai_metadata_origin) == ("", "")
    emptied = edit_asset(make_asset().pk, {"creator_description": None}, **edit)
    assert emptied.creator_description_origin == ""


@pytest.mark.django_db
def test_the_admin_marks_and_filters_backfilled_values(client: Client, admin_user: User) -> None:
    client.force_login(admin_user)
    filled = make_asset()
    _fill()
    own = make_asset(creator_description="my text")
    url = reverse("admin:assets_asset_changelist")
    assert client.get(url).text.count("backfilled</em>") == 1
    for origin, shown, hidden in (("backfill", filled, own), ("person", own, filled)):
        page = client.get(url, {"creator_description_origin": origin}).text
        assert shown.nna_address in page
        assert hidden.nna_address not in page
    assert "creator description, AI metadata" in client.get(reverse("admin:assets_asset_change", args=[filled.pk])).text


@pytest.mark.django_db
def test_a_field_stays_at_50_percent_until_its_backfill_is_finalised() -> None:
    change = {"by": None, "reason": "a test", "now": timezone.now()}
    update_flag(name="creator_description", everyone=True, **change)
    update_flag(name="creator_description", everyone=False, **change)
    make_assets(3, origin="import")
    assert "legacy rows wait for the backfill assets.creator_description" in creator_description_backfill_pending()
    with pytest.raises(Conflict, match="may not go above 50 %"):
        update_flag(name="creator_description", everyone=True, **change)
    update_flag(name="creator_description", everyone=None, percent=50, **change)
    context = started(CREATOR_DESCRIPTION_RULE)
    run_to_the_end(context)
    with pytest.raises(Conflict, match=f"run {context.run_pk} of the backfill .* is finished; finalise it first"):
        update_flag(name="creator_description", percent=51, **change)
    finalise(context.run_pk, by=BY, now=timezone.now())
    update_flag(name="creator_description", everyone=True, **change)
    assert ai_metadata_backfill_pending() is not None


@pytest.mark.django_db
def test_an_undone_backfill_limits_the_rollout_again() -> None:
    make_assets(3, origin="import")
    context = started(AI_METADATA_RULE)
    run_to_the_end(context)
    begin_undo(context.run_pk, by=BY, now=timezone.now())
    assert "is undoing" in ai_metadata_backfill_pending()
    run_to_the_end(context)
    assert "legacy rows wait" in ai_metadata_backfill_pending()


@pytest.mark.django_db
def test_metrics_count_backfilled_values_separately(admin_api: APIClient) -> None:
    make_assets(3)
    _fill()
    make_asset(creator_description="my text", ai_metadata={"confidence": 0.9})
    make_asset(ai_metadata={"confidence": "high"})  # imported values are not validated
    make_asset()
    assert admin_api.get("/api/admin/metrics/fields").json() == {
        "assets": 6,
        "creatorDescription": {"person": 1, "backfill": 3, "none": 2},
        "aiMetadata": {"measured": 2, "backfill": 3, "none": 1, "confidenceMean": 0.9},
    }


@pytest.mark.django_db
def test_a_form_opened_before_a_backfill_does_not_clear_backfilled_values(client: Client, admin_user: User) -> None:
    client.force_login(admin_user)
    asset = make_asset(description="old")
    url = reverse("admin:assets_asset_change", args=[asset.pk])
    opened = client.get(url).context["adminform"].form
    sent = {name: opened[name].value() for name in opened.fields}
    sent |= {f"initial-{name}": sent[name] for name in ("creator_description", "ai_metadata")}
    sent = {name: "" if value is None else value for name, value in sent.items()} | {"description": "new"}
    assert 'name="initial-creator_description"' in client.get(url).text
    _fill()
    assert client.post(url, sent).status_code == 302
    asset.refresh_from_db()
    assert (asset.description, asset.creator_description, asset.creator_description_origin) == (
        "new", asset.name, "backfill",
    )  # fmt: skip
    assert asset.ai_metadata_origin == "backfill"
    client.post(url, sent | {"creator_description": "typed now"})
    asset.refresh_from_db()
    assert (asset.creator_description, asset.creator_description_origin) == ("typed now", "")
