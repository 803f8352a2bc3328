"""A headless Chromium of the machine, for tests of the admin pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Request, Response, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None)
# Without these flags the browser sends requests to Google at every start.
_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

needs_browser = pytest.mark.skipif(_CHROMIUM is None, reason="no Chromium on this machine")


@contextmanager
def open_page(base_url: str) -> Iterator[tuple[Page, list[str]]]:
    """Yield a page and the list of its errors: script errors, failed requests, requests to other hosts."""
    page_errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.on("pageerror", lambda error: page_errors.append(f"script error: {error}"))
        page.on("response", lambda response: page_errors.extend(_response_errors(response)))
        page.on("request", lambda request: page_errors.extend(_request_errors(request, base_url)))
        try:
            yield page, page_errors
        finally:
            browser.close()


def _response_errors(response: Response) -> list[str]:
    return [f"{response.status} {response.url}"] if response.status >= 400 else []


def _request_errors(request: Request, base_url: str) -> list[str]:
    return [] if request.url.startswith((base_url, "data:", "blob:")) else [f"other host: {request.url}"]


def log_in(page: Page, base_url: str, email: str, password: str) -> None:
    page.goto(f"{base_url}/admin/login/")
    page.fill("input[name=username]", email)
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_url(f"{base_url}/admin/**")
