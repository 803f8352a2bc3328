"""Every list page of the admin is small, and its query count does not grow with the rows."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from assets.models import Asset
from taxonomy.models import Category, Subcategory
from tests.factories.accounts import AdminFactory, UserFactory
from tests.factories.every_model import MODELS, fill_every_model
from tests.factories.taxonomy import load_starter_taxonomy

MAX_QUERIES = 12
MAX_FORM_QUERIES = 20
MAX_BYTES = 150 * 1024
MAX_OPTIONS = 200  # of one <select>: as many as there are permissions
ROWS = 55  # more than a page of 50

pytestmark = pytest.mark.django_db


class Page(NamedTuple):
    status: int
    content: str
    queries: list[str]


@pytest.fixture
def superuser() -> User:
    return AdminFactory()


@pytest.fixture
def auditor() -> User:
    """A user who may view most rows and change none."""
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Auditors"))
    return user


def _fill() -> None:
    # Values as long as those of real assets: an image, a long description with its origin.
    asset_fields = {"creator_description": "word " * 50, "creator_description_origin": "backfill"}
    fill_every_model(ROWS, assets_per_node=3, **asset_fields)


def _model_lists() -> Iterator[tuple[type[Model], str]]:
    for model in MODELS:
        yield model, reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _other_pages() -> list[str]:
    """Return the URLs of pages without arguments that are neither lists nor forms of a new row."""
    names = {
        pattern.name
        for page in admin.site._registry.values()
        for pattern in page.get_urls()
        if pattern.name and not pattern.pattern.regex.groups and not pattern.name.endswith(("_changelist", "_add"))
    }
    return [reverse("admin:index"), *(reverse(f"admin:{name}") for name in sorted(names))]


def _open(user: User, url: str) -> Page:
    client = Client()
    client.force_login(user)
    client.get(url)  # fills the caches
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    return Page(response.status_code, response.content.decode(), [query["sql"] for query in queries.captured_queries])


def _problems(url: str, page: Page, *, max_queries: int = MAX_QUERIES) -> list[str]:
    found = []
    if len(page.queries) > max_queries:
        found.append(f"{url}: {len(page.queries)} queries\n  " + "\n  ".join(sql[:200] for sql in page.queries))
    if len(page.content.encode()) > MAX_BYTES:
        found.append(f"{url}: {len(page.content.encode()) / 1024:.0f} KiB")
    if (longest := _longest_select(page.content)) > MAX_OPTIONS:
        found.append(f"{url}: a <select> has {longest} options")
    return found


def _longest_select(html: str) -> int:
    return max((part.count("<option") for part in html.split("<select")[1:]), default=0)


def test_every_list_is_small_and_its_query_count_does_not_grow(superuser: User, auditor: User) -> None:
    load_starter_taxonomy()
    _fill()
    lists = [url for _, url in _model_lists()]
    others = [url for url in _other_pages() if _open(superuser, url).status == 200]  # the rest redirect
    urls = [*lists, *(f"{url}?q=a" for url in lists), *others]
    users = (superuser, auditor)
    before = {(user.pk, url): _open(user, url) for user in users for url in urls}
    _fill()
    problems = []
    for (pk, url), few in before.items():
        more = _open(superuser if pk == superuser.pk else auditor, url)
        problems += _problems(url, more)
        if more.status != few.status or more.status not in (200, 403) or (pk == superuser.pk and more.status != 200):
            problems.append(f"{url}: status {few.status}, then {more.status}")
        if len(more.queries) != len(few.queries):
            grown = sorted(set(more.queries) - set(few.queries))
            problems.append(f"{url}: {len(few.queries)} queries, then {len(more.queries)}\n  " + "\n  ".join(grown))
    assert not problems, "\n".join(problems)
    assert {url for (pk, url), page in before.items() if pk == auditor.pk and page.status == 200} >= {
        reverse("admin:assets_asset_changelist"), reverse("admin:bugreports_bugreport_changelist"),
    }  # fmt: skip


@pytest.mark.slow
def test_every_last_page_search_and_filter_is_as_cheap(superuser: User) -> None:
    load_starter_taxonomy()
    _fill()
    problems = []
    for model, url in _model_lists():
        rows = model._default_manager.count()
        page_length = admin.site._registry[model].list_per_page
        last = f"{url}?p={max(-(-rows // page_length), 1)}"
        for link in (last, f"{url}?q=a", *(f"{url}{query}" for query in _filter_links(superuser, url))):
            page = _open(superuser, link)
            problems += _problems(link, page)
            if page.status != 200:
                problems.append(f"{link}: status {page.status}")
    assert not problems, "\n".join(problems)


def _filter_links(user: User, url: str) -> list[str]:
    """Return a query string for a value of each filter of the list."""
    client = Client()
    client.force_login(user)
    changes = client.get(url).context_data["cl"]
    links = []
    for spec in changes.filter_specs:
        choices = list(spec.choices(changes))
        if len(choices) > 1:
            links.append(choices[-1]["query_string"])
            continue
        for name, field in choices[0]["form"].fields.items():
            values = [value for value, _ in getattr(field, "choices", []) if value]
            links += [f"?{name}={values[-1]}"] if values else []
    return links


def test_forms_have_no_long_select_and_few_queries(superuser: User) -> None:
    fill_every_model(3)
    category = Category.objects.get(layer__code="L", code="CAS")
    Subcategory.objects.bulk_create(
        Subcategory(category=category, code=f"{number:03d}", number=number, name=f"Long {number}")
        for number in range(500, 500 + MAX_OPTIONS + 1)
    )
    User.objects.bulk_create(
        User(email=f"{number}@example.com", username=f"user {number}") for number in range(MAX_OPTIONS + 1)
    )
    problems = []
    for model, url in _model_lists():
        pk: Any = model._default_manager.order_by("-pk").values_list("pk", flat=True)[0]
        for form in (f"{url}add/", f"{url}{pk}/change/"):
            page = _open(superuser, form)
            if page.status not in (200, 403):
                problems.append(f"{form}: status {page.status}")
            problems += _problems(form, page, max_queries=MAX_FORM_QUERIES)
    assert not problems, "\n".join(problems)


def test_the_pages_of_assets_show_all_rows_once(superuser: User) -> None:
    """The pages of the second half are read from the end."""
    load_starter_taxonomy()
    fill_every_model(ROWS, assets_per_node=2)
    client = Client()
    client.force_login(superuser)
    url = reverse("admin:assets_asset_changelist")
    first = client.get(url).context_data["cl"]
    shown = [
        row.pk
        for number in first.paginator.page_range
        for row in client.get(url, {"p": number}).context_data["cl"].result_list
    ]
    assert first.paginator.num_pages >= 3
    assert shown == list(Asset.objects.newest_first().values_list("pk", flat=True))
