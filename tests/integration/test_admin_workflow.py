"""Staff work in a browser: find an asset, edit it, tag several, delete and restore."""

import os

import pytest
from django.utils import timezone

from accounts.demo import ADMIN_EMAIL, DEMO_PASSWORD, ensure_demo_users
from assets.demo import load_demo
from assets.models import Asset
from taxonomy.sync import install_starter_taxonomy
from tests.support.browser import log_in, needs_browser, open_page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), needs_browser]


@pytest.fixture(autouse=True)
def allow_queries_next_to_playwright(monkeypatch):
    """Playwright runs an event loop in this thread, in which Django would raise SynchronousOnlyOperation."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def registry(live_server, settings):
    settings.MEDIA_PUBLIC_URL = f"{live_server.url}/media/"
    now = timezone.now()
    install_starter_taxonomy(now=now)
    ensure_demo_users()
    load_demo(asset_count=60, now=now)
    return live_server.url


def test_staff_find_correct_tag_delete_and_restore_without_leaving_the_admin(registry):
    look = Asset.objects.filter(layer="L").newest_first().first()
    with open_page(registry) as (page, page_errors):
        log_in(page, registry, ADMIN_EMAIL, DEMO_PASSWORD)

        page.goto(f"{registry}/admin/assets/asset/?q={look.name}")
        assert page.locator("#result_list tbody tr").first.inner_text().find(look.name) >= 0
        page.click(f"#result_list a:has-text('{look.name}')")
        page.wait_for_url("**/change/**")
        image = page.wait_for_selector(f"img[alt='{look.name}']")
        page.wait_for_load_state("networkidle")
        assert image.evaluate("image => image.naturalWidth") > 0
        page.fill("textarea[name=creator_description]", "For cold mornings")
        page.click("[name=_save]")
        page.wait_for_url("**/admin/assets/asset/**")

        page.goto(f"{registry}/admin/assets/asset/{look.pk}/history/")
        assert "For cold mornings" in page.content()
        assert ADMIN_EMAIL in page.content() or "demo-admin" in page.content()

        _choose_first(page, registry, "?layer=L", 2, "edit_tags")
        page.fill("input[name=add]", "autumn")
        page.click("button:has-text('Edit tags')")
        page.wait_for_url("**/admin/assets/asset/")
        assert Asset.objects.filter(tags__contains=["autumn"]).count() == 2

        _choose_first(page, registry, f"?q={look.name}", 1, "soft_delete")
        page.fill("input[name=reason]", "double")
        page.click("button:has-text('Move to trash 1 asset')")
        page.wait_for_url("**/admin/assets/asset/")
        look.refresh_from_db()
        assert (look.deletion_reason, look.deleted_by) == ("double", ADMIN_EMAIL)

        _choose_first(page, registry, "?state=deleted", 1, "restore")
        page.click("button:has-text('Restore 1 asset')")
        page.wait_for_url("**/admin/assets/asset/")
        look.refresh_from_db()
        assert look.deleted_at is None
        assert look.creator_description == "For cold mornings"
    assert page_errors == []


def _choose_first(page, base_url, query, count, action):
    page.goto(f"{base_url}/admin/assets/asset/{query}")
    for box in page.query_selector_all("input.action-select")[:count]:
        box.check()
    page.select_option("select[name=action]", action)
    page.click("button[name=index]")
    page.wait_for_load_state()
