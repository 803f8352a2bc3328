"""Page parameters of the API: `page` and a limit, both from 1."""

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


def parse_page_params(
    params: Mapping[str, str],
    *,
    limit_name: str = "limit",
    default_limit: int | None = None,
    max_limit: int | None = None,
    max_page: int = MAX_PAGE_NUMBER,
    is_lenient: bool = False,
) -> PageParams:
    """Read `page` and the limit from query parameters; a larger limit becomes `max_limit`.

    The limits default to API_DEFAULT_PAGE_ROWS and API_MAX_PAGE_ROWS. Raises InvalidInput naming the parameter; with
    `is_lenient` other text becomes the default, and numbers out of range the nearest allowed one.
    """
    default_limit = default_limit or settings.API_DEFAULT_PAGE_ROWS
    max_limit = max_limit or settings.API_MAX_PAGE_ROWS
    if is_lenient:
        page = _lenient_int(params.get("page"), default=1)
        limit = _lenient_int(params.get(limit_name), default=default_limit)
        return PageParams(min(max(page, 1), max_page), min(max(limit, 1), max_limit))
    page = _positive_int(params.get("page"), "page", default=1, maximum=max_page)
    limit = _positive_int(params.get(limit_name), limit_name, default=default_limit, maximum=10**18)
    return PageParams(page, min(limit, max_limit))


def _lenient_int(text: str | None, *, default: int) -> int:
    is_number = text is not None and text.isascii() and text.removeprefix("-").isdigit() and len(text) < 12
    return int(text) if is_number and text else default


def _positive_int(text: str | None, name: str, *, default: int, maximum: int) -> int:
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 18) or not 1 <= int(text) <= maximum:
        raise InvalidInput(f"{name} must be an integer number not less than 1", field=name)
    return int(text)
