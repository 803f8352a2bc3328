"""Rollout stages in a browser: a flag passes through stages, and a guarded stage is disabled."""

import os

import pytest

from accounts.demo import ADMIN_EMAIL, DEMO_PASSWORD, ensure_demo_users
from flags.guards import register_guard, unregister_guard
from flags.models import FlagChange
from flags.registry import AI_METADATA, ALBUM_ART
from tests.support.browser import log_in, needs_browser, open_page
from tests.support.flag_states import set_flags

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), needs_browser]


@pytest.fixture(autouse=True)
def allow_queries_next_to_playwright(monkeypatch):
    """Playwright runs an event loop in this thread, in which Django would raise SynchronousOnlyOperation."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def held():
    hold = register_guard(AI_METADATA, 50, lambda: "the backfill of aiMetadata is not finalised yet")
    yield
    unregister_guard(hold)


def test_a_flag_goes_off_staff_one_percent_off_and_a_held_one_stops(live_server, held):
    ensure_demo_users()
    with set_flags(), open_page(live_server.url) as (page, page_errors):
        log_in(page, live_server.url, ADMIN_EMAIL, DEMO_PASSWORD)
        page.click("nav a:has-text('Staged rollout')")
        page.wait_for_url("**/rollout/")

        row = page.locator(f"[data-flag={ALBUM_ART}]")
        for stage in ("staff", "1 %"):
            row.get_by_role("button", name=stage, exact=True).click()
            page.fill("#dialog input[name=reason]", f"Pilot: {stage}")
            page.click("#dialog button[type=submit]")
            page.get_by_text(f"{ALBUM_ART} is at {stage} now").wait_for()
            assert row.locator("[aria-current=step]").inner_text() == stage
        held_stage = page.locator(f"[data-flag={AI_METADATA}] [aria-disabled=true]")
        assert held_stage.inner_text().startswith("100 %")
        assert "not finalised yet" in page.locator(f"[data-flag={AI_METADATA}] [role=status]").inner_text()

        row.get_by_role("button", name="Turn off").click()
        page.get_by_text(f"{ALBUM_ART} is at off now").wait_for()
        assert row.locator("[aria-current=step]").inner_text() == "off"
        assert page_errors == []
    reasons = list(FlagChange.objects.order_by("pk").values_list("reason", flat=True))
    assert reasons == ["Pilot: staff", "Pilot: 1 %", "Switched off by one click on the rollout page"]
