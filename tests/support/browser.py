"""A headless Chromium from the machine, for tests that look at pages as staff do."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None)
# Without these the browser asks its maker's hosts for this and that at every start.
_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

needs_browser = pytest.mark.skipif(_CHROMIUM is None, reason="no Chromium on this machine")


@contextmanager
def open_page(base_url: str) -> Iterator[tuple[Page, list[str]]]:
    """A page, and the list of what went wrong on it: script errors, failed requests, requests to other hosts."""
    field_errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.on("pageerror", lambda error: field_errors.append(f"script error: {error}"))
        page.on(
            "response", lambda answer: answer.status >= 400 and field_errors.append(f"{answer.status} {answer.url}")
        )
        page.on(
            "request", lambda request: _is_own(request.url, base_url) or field_errors.append(f"outside: {request.url}")
        )
        try:
            yield page, field_errors
        finally:
            browser.close()


def _is_own(url: str, base_url: str) -> bool:
    return url.startswith((base_url, "data:", "blob:"))


def log_in(page: Page, base_url: str, email: str, password: str) -> None:
    page.goto(f"{base_url}/admin/login/")
    page.fill("input[name=username]", email)
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_url(f"{base_url}/admin/**")
