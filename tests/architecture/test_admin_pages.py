"""Every admin page opens, and its query count does not grow with the rows."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories.accounts import AdminFactory
from tests.factories.every_model import MODELS, fill_every_model

FEW, MORE = 3, 9

pytestmark = pytest.mark.django_db


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
def test_the_query_count_of_a_form_does_not_grow_with_rows(model: type[Model], staff: Client) -> None:
    fill_every_model(FEW)
    can_add = admin.site._registry[model].has_add_permission(staff.get(reverse("admin:index")).wsgi_request)
    add, status = _url(model, "add"), 200 if can_add else 403
    rows = _some_rows(model)
    changes = [_url(model, "change", row) for row in rows]
    few = [_queries(staff, add, status=status), *(_queries(staff, change) for change in changes)]
    fill_every_model(MORE)
    for url, before in zip([add, *changes], few, strict=False):
        _assert_same(before, _queries(staff, url, status=status if url == add else 200))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_history_and_delete_pages_of_a_row_open(model: type[Model], staff: Client) -> None:
    fill_every_model(FEW)
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
