"""What legacy assets get, how it is told from a person's words, and when it becomes theirs."""

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
from assets.descriptions import extract_creator_description
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
def test_a_creators_words_survive_in_the_generated_description(words: str) -> None:
    text = f"Asset {words} (L.CAS.ATL)"
    assert extract_creator_description(text, name="L.CAS.ATL.001", layer="L") == " ".join(words.split())


@pytest.mark.parametrize(
    ("description", "layer", "words"),
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
def test_what_counts_as_words(description: str, layer: str, words: str | None) -> None:
    assert extract_creator_description(description, name="L.CAS.ATL.001", layer=layer) == words


@given(description=st.text(max_size=300), layer=st.sampled_from("GL"))
def test_words_fit_the_column_whatever_stands_in_a_description(description: str, layer: str) -> None:
    words = extract_creator_description(description, name="G.POP.BAS.001", layer=layer)
    assert words is None or 0 < len(words) <= 500


@pytest.mark.django_db
def test_ai_metadata_says_that_no_model_looked() -> None:
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
def test_later_assets_can_be_left_alone() -> None:
    assets = make_assets(10)
    run_to_the_end(
        started(CREATOR_DESCRIPTION_RULE, parameters={"registered_before": assets[4].created_at.isoformat()})
    )
    assert Asset.objects.filter(creator_description_origin="backfill").count() == 4


def _fill() -> None:
    for rule in (CREATOR_DESCRIPTION_RULE, AI_METADATA_RULE):
        run_to_the_end(started(rule))


@pytest.mark.django_db
def test_clients_can_tell_filled_values_and_leave_them_out(editor_api: APIClient) -> None:
    filled = make_asset()
    _fill()
    own = make_asset(creator_description="my words", ai_metadata={"mood": "calm"})
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
    answers = [editor_api.get(f"/api/assets/{asset.name}").text for asset in (filled, own)]
    assert not any('rigin"' in text.replace("originalFilename", "") for text in answers), "flags off: nothing of it"
    items = editor_api.get("/api/assets", {"creatorDescriptionOrigin": "backfill"}).json()["data"]["items"]
    assert len(items) == 2


@pytest.mark.django_db
def test_answers_with_flags_off_are_the_same_before_and_after_a_backfill(
    editor_api: APIClient, service_api: APIClient
) -> None:
    asset = make_asset(description="Asset Silk (L.CAS.ATL)")
    paths = [
        f"/api/assets/{asset.name}",
        "/api/assets",
        "/api/assets?search=silk",
        f"/api/assets/{asset.name}/metadata",
    ]

    def answers() -> list[str]:
        texts = [client.get(path).text for client in (editor_api, service_api) for path in paths]
        return [re.sub(r'"timestamp" ?: ?"[^"]+"', "", text) for text in texts]

    before = answers()
    _fill()
    assert answers() == before


@pytest.mark.django_db
def test_filled_words_are_not_searched_as_a_creators(editor_api: APIClient) -> None:
    make_asset(description="plain", creator_description="rust", creator_description_origin="")
    make_asset(description="plain", creator_description="rust", creator_description_origin="backfill")
    with set_flags("search_creator_description", "creator_description"):
        found = editor_api.get("/api/assets", {"search": "rust"}).json()["data"]["items"]
    assert len(found) == 1
    assert "creatorDescriptionOrigin" not in found[0]


@pytest.mark.django_db
def test_a_value_becomes_a_persons_when_they_change_it_and_not_when_a_form_sends_it_back(admin_user: User) -> None:
    asset = make_asset()
    _fill()
    asset.refresh_from_db()
    edit = {"by": admin_user, "directory": current_taxonomy(), "now": timezone.now()}
    sent_back = {"creator_description": asset.name, "ai_metadata": asset.ai_metadata, "description": "new"}
    same = edit_asset(asset.pk, sent_back, **edit)
    assert (same.creator_description_origin, same.ai_metadata_origin) == ("backfill", "backfill")
    changed = edit_asset(asset.pk, {"creator_description": "my words", "ai_metadata": {"mood": "calm"}}, **edit)
    assert (changed.creator_description_origin, changed.ai_metadata_origin) == ("", "")
    emptied = edit_asset(make_asset().pk, {"creator_description": None}, **edit)
    assert emptied.creator_description_origin == ""


@pytest.mark.django_db
def test_staff_see_and_filter_what_was_filled_in(client: Client, admin_user: User) -> None:
    client.force_login(admin_user)
    filled = make_asset()
    _fill()
    own = make_asset(creator_description="my words")
    url = reverse("admin:assets_asset_changelist")
    assert client.get(url).text.count("filled in</em>") == 1
    for origin, shown, hidden in (("backfill", filled, own), ("person", own, filled)):
        page = client.get(url, {"creator_description_origin": origin}).text
        assert shown.nna_address in page
        assert hidden.nna_address not in page
    assert "creator description, AI metadata" in client.get(reverse("admin:assets_asset_change", args=[filled.pk])).text


@pytest.mark.django_db
def test_a_field_stays_with_half_the_callers_until_its_backfill_is_finalised() -> None:
    said = {"by": None, "reason": "a test", "now": timezone.now()}
    update_flag(name="creator_description", everyone=True, **said)
    update_flag(name="creator_description", everyone=False, **said)
    make_assets(3, origin="import")
    assert "legacy rows wait for the backfill assets.creator_description" in creator_description_backfill_pending()
    with pytest.raises(Conflict, match="may not go above 50 %"):
        update_flag(name="creator_description", everyone=True, **said)
    update_flag(name="creator_description", everyone=None, percent=50, **said)
    job = started(CREATOR_DESCRIPTION_RULE)
    run_to_the_end(job)
    with pytest.raises(Conflict, match=f"run {job.run_pk} of the backfill .* is finished; finalise it first"):
        update_flag(name="creator_description", percent=51, **said)
    finalise(job.run_pk, by=BY, now=timezone.now())
    update_flag(name="creator_description", everyone=True, **said)
    assert ai_metadata_backfill_pending() is not None


@pytest.mark.django_db
def test_an_undone_backfill_holds_its_field_again() -> None:
    make_assets(3, origin="import")
    job = started(AI_METADATA_RULE)
    run_to_the_end(job)
    begin_undo(job.run_pk, by=BY, now=timezone.now())
    assert "is undoing" in ai_metadata_backfill_pending()
    run_to_the_end(job)
    assert "legacy rows wait" in ai_metadata_backfill_pending()


@pytest.mark.django_db
def test_statistics_count_filled_values_apart(admin_api: APIClient) -> None:
    make_assets(3)
    _fill()
    make_asset(creator_description="my words", ai_metadata={"confidence": 0.9})
    make_asset(ai_metadata={"confidence": "high"})  # an import may bring what no check has seen
    make_asset()
    assert admin_api.get("/api/admin/metrics/fields").json() == {
        "assets": 6,
        "creatorDescription": {"person": 1, "backfill": 3, "none": 2},
        "aiMetadata": {"measured": 2, "backfill": 3, "none": 1, "confidenceMean": 0.9},
    }


@pytest.mark.django_db
def test_a_form_that_was_opened_before_a_backfill_does_not_empty_what_it_filled(
    client: Client, admin_user: User
) -> None:
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
