"""A backfill end to end: staff plan, start, pause, resume, finalise and undo it in the browser while workers run it.

One worker is killed. After the undo every row equals its state before."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from rest_framework.test import APIClient

from accounts.demo import ADMIN_EMAIL, DEMO_PASSWORD, ensure_demo_users
from accounts.models import User
from assets.models import Asset
from backfills import tasks
from backfills.models import BackfillChange, BackfillRun
from taxonomy.sync import install_starter_taxonomy
from tests.factories.accounts import bearer
from tests.factories.assets import make_assets
from tests.support.backfills import table_hash
from tests.support.browser import log_in, needs_browser, open_page
from tests.support.processes import PROJECT, ended_at_last, wait_until, worker_environment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), needs_browser]

ROWS = 300


@pytest.fixture(autouse=True)
def allow_queries_next_to_playwright(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright runs an event loop in this thread, in which Django would raise SynchronousOnlyOperation."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def _start_worker(tmp_path: Path) -> subprocess.Popen[str]:
    environment = worker_environment(tmp_path, JOBS_LEASE_SECONDS="3")
    command = [sys.executable, "-m", "celery", "--app", "config", "--quiet", "worker", "--pool", "solo"]
    return subprocess.Popen(command, env=environment, cwd=PROJECT, text=True)


@pytest.fixture
def registry(live_server: object) -> str:
    install_starter_taxonomy(now=timezone.now())
    ensure_demo_users()
    return live_server.url  # type: ignore[attr-defined]


def _plan_and_start(page: Page, registry: str) -> None:
    page.goto(f"{registry}/admin/backfills/backfillrun/")
    page.click("text=Plan a run")
    page.select_option("[name=rule]", "assets.ai_metadata")
    page.fill("[name=reason]", "Phase 2B")
    page.fill("[name=batch_size]", "5")
    page.fill("[name=sleep_ratio]", "12")
    page.click("text=Make plan")
    expect(page.get_by_text(f"{ROWS} rows to change")).to_be_visible(timeout=30_000)
    page.click("text=Start…")
    page.click("button:has-text('Start')")
    expect(page.locator(".job-run strong").first).to_have_text("Running")


def test_a_run_survives_a_killed_worker_and_is_undone_exactly(registry: str, tmp_path: Path) -> None:
    make_assets(ROWS)
    before = table_hash()
    api = APIClient(headers={"Authorization": bearer(User.objects.get(email=ADMIN_EMAIL))})
    with open_page(registry) as (page, page_errors), ended_at_last(_start_worker(tmp_path)) as first:
        log_in(page, registry, ADMIN_EMAIL, DEMO_PASSWORD)
        _plan_and_start(page, registry)
        [run] = BackfillRun.objects.all()
        wait_until(lambda: BackfillRun.objects.get().changed_rows >= 20, 30)

        started = time.monotonic()
        page.click("button:has-text('Pause')")
        expect(page.locator(".job-run strong").first).to_have_text("Paused", timeout=10_000)
        assert time.monotonic() - started < 8, "the page did not show the state within 8 s"
        assert api.get(f"/api/backfills/{run.pk}").json()["state"] == "paused"
        page.click("button:has-text('Resume')")
        wait_until(lambda: BackfillRun.objects.get().changed_rows >= 60, 30)
        first.send_signal(signal.SIGKILL)
        first.wait()
        done = BackfillRun.objects.get().changed_rows
        assert done < ROWS

        with ended_at_last(_start_worker(tmp_path)) as second:
            wait_until(lambda: BackfillRun.objects.get().lease_expires_at < timezone.now(), 30)
            tasks.requeue_stalled_runs.delay()  # as the schedule does
            expect(page.locator(".job-run strong").first).to_have_text("Finished", timeout=60_000)
            assert BackfillChange.objects.filter(run=run).count() == ROWS
            assert Asset.objects.filter(ai_metadata_origin="backfill").count() == ROWS
            page.click("text=Finalise…")
            page.click("button:has-text('Finalise')")
            expect(page.locator(".job-run strong").first).to_have_text("Finalised")
            page.click("button:has-text('Reopen')")
            page.click("text=Undo…")
            expect(page.get_by_text(f"{ROWS} values will be restored")).to_be_visible()
            page.click("button:has-text('Undo')")
            expect(page.locator(".job-run strong").first).to_have_text("Undone", timeout=60_000)
            second.terminate()
            second.wait(30)
        assert not page_errors
    assert table_hash() == before
