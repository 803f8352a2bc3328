"""Pages as old clients ask for them: `page` and `limit`, both from 1."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from common.errors import InvalidInput

MAX_PAGE_NUMBER = 1_000_000_000


@dataclass(frozen=True)
class PageParams:
    page: int
    limit: int

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit

    def total_pages(self, total: int) -> int:
        return -(-total // self.limit)


def parse_page_params(params: Mapping[str, str]) -> PageParams:
    """From query parameters. A limit over API_MAX_PAGE_ROWS is cut to it. Raises Invalid naming the parameter."""
    page = _positive(params.get("page"), "page", default=1, most=MAX_PAGE_NUMBER)
    limit = _positive(params.get("limit"), "limit", default=settings.API_DEFAULT_PAGE_ROWS, most=10**18)
    return PageParams(page, min(limit, settings.API_MAX_PAGE_ROWS))


def _positive(text: str | None, name: str, *, default: int, most: int) -> int:
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 18) or not 1 <= int(text) <= most:
        raise InvalidInput(f"{name} must be an integer number not less than 1", field=name)
    return int(text)
