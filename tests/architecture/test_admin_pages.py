"""Every admin page opens, and its query count does not grow with the rows."""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from factory.django import DjangoModelFactory

from assets.models import SequenceReservation
from assets.sequences import reserve_numbers
from taxonomy.models import TaxonomyVersion
from tests.factories.accounts import AdminFactory
from tests.factories.assets import make_assets
from tests.factories.taxonomy import load_starter_taxonomy, make_node
from tests.support.source_tree import ROOT

FEW, MORE = 3, 9
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)

pytestmark = pytest.mark.django_db


@cache
def _factories() -> tuple[type[DjangoModelFactory], ...]:
    """Return the factories of all registered models."""
    modules = [import_module(f"tests.factories.{path.stem}") for path in (ROOT / "tests" / "factories").glob("*.py")]
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, DjangoModelFactory) and not value._meta.abstract
    }
    return tuple(sorted((one for one in found if one._meta.model in admin.site._registry), key=lambda f: f.__name__))


def _fill(count: int) -> None:
    """Create `count` rows of every model that has a factory, with related rows."""
    for factory in _factories():
        factory.create_batch(count)
    for number in range(TaxonomyVersion.objects.count(), TaxonomyVersion.objects.count() + count):
        Group.objects.create(name=f"Group {number}")
        make_node("L", "CAS", f"Z{number:02d}")  # each edit creates a taxonomy version
    nodes = list(load_starter_taxonomy().nodes())[:count]
    for node in nodes:
        make_assets(count, f"{node.layer}.{node.category_code}.{node.code}")
    purpose = SequenceReservation.Purpose.REGISTRATION
    reserve_numbers([node.pk for node in nodes], purpose=purpose, by="somebody@example.com", now=timezone.now())


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(AdminFactory())
    return client


def _url(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def _queries(client: Client, url: str, *, status: int = 200) -> list[str]:
    client.get(url)  # fills the caches
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = client.get(url)
    assert response.status_code == status, url
    return [query["sql"] for query in queries.captured_queries]


def _some_rows(model: type[Model]) -> list[Any]:
    rows = list(model._default_manager.order_by("-pk").values_list("pk", flat=True)[:2])
    if not rows:
        pytest.skip(f"no factory for {model._meta.label}")
    return rows


def _assert_same(before: Iterable[str], after: Iterable[str]) -> None:
    """Compare the counts; the message lists the queries, so that repeated ones are visible."""
    before, after = list(before), list(after)
    assert len(after) == len(before), "\n".join(after)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_query_count_of_a_list_does_not_grow_with_rows(
    model: type[Model], staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(MORE)
    page = admin.site._registry[model]
    url = _url(model, "changelist")
    count = model._default_manager.count()
    monkeypatch.setattr(page, "list_per_page", max(min(FEW, count - 1), 1))
    few = _queries(staff, url)
    monkeypatch.setattr(page, "list_per_page", 200)
    monkeypatch.setattr(page, "list_max_show_all", 200)
    _assert_same(few, _queries(staff, url))
    if count < 2:
        pytest.skip(f"{count} rows of {model._meta.label} are too few to compare")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_query_count_of_a_search_does_not_grow_with_rows(
    model: type[Model], staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = admin.site._registry[model]
    if not page.search_fields:
        assert staff.get(_url(model, "changelist"), {"q": "a"}).status_code == 200
        return
    _fill(MORE)
    url = _url(model, "changelist") + "?q=a"
    monkeypatch.setattr(page, "list_per_page", 1)
    few = _queries(staff, url)
    monkeypatch.setattr(page, "list_per_page", 200)
    _assert_same(few, _queries(staff, url))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_query_count_of_a_form_does_not_grow_with_rows(model: type[Model], staff: Client) -> None:
    _fill(FEW)
    can_add = admin.site._registry[model].has_add_permission(staff.get(reverse("admin:index")).wsgi_request)
    add, status = _url(model, "add"), 200 if can_add else 403
    rows = _some_rows(model)
    changes = [_url(model, "change", row) for row in rows]
    few = [_queries(staff, add, status=status), *(_queries(staff, change) for change in changes)]
    _fill(MORE)
    for url, before in zip([add, *changes], few, strict=False):
        _assert_same(before, _queries(staff, url, status=status if url == add else 200))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_history_and_delete_pages_of_a_row_open(model: type[Model], staff: Client) -> None:
    _fill(FEW)
    row = _some_rows(model)[0]
    assert staff.get(_url(model, "history", row)).status_code == 200
    request = staff.get(reverse("admin:index")).wsgi_request
    page = admin.site._registry[model]
    can_delete = page.has_delete_permission(request, model._default_manager.get(pk=row))
    assert staff.get(_url(model, "delete", row)).status_code == (200 if can_delete else 403)


def test_every_link_of_the_sidebar_opens(staff: Client) -> None:
    index = staff.get(reverse("admin:index"))
    links = [str(item["link"]) for group in admin.site.get_sidebar_list(index.wsgi_request) for item in group["items"]]
    assert links
    for link in links:
        assert staff.get(link).status_code == 200, link
