"""What all staff admins share."""

import pytest

from accounts.models import User
from common import model_admin
from common.model_admin import CappedPaginator
from tests.factories.accounts import AdminFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def cap(monkeypatch):
    monkeypatch.setattr(model_admin, "COUNTED_ROWS", 5)


def test_counts_exactly_up_to_the_limit(cap):
    UserFactory.create_batch(5)
    assert str(CappedPaginator(User.objects.all(), 2).count) == "5"
    assert str(CappedPaginator([1, 2, 3], 2).count) == "3"


def test_beyond_the_limit_counts_no_further_and_says_so(cap, django_assert_num_queries):
    UserFactory.create_batch(7)
    paginator = CappedPaginator(User.objects.order_by("email"), 2)
    with django_assert_num_queries(1) as queries:
        assert paginator.count == 5
    assert "LIMIT 6" in queries[0]["sql"]
    assert "ORDER BY" not in queries[0]["sql"]
    assert str(paginator.count) == "5+"
    assert paginator.num_pages == 3


def test_a_list_page_shows_that_there_are_more(cap, client):
    client.force_login(AdminFactory())
    UserFactory.create_batch(7)
    page = client.get("/admin/accounts/user/").content.decode()
    assert "5+" in page
    assert "Show all" not in page
    assert "Show all" in client.get("/admin/accounts/user/", {"q": "admin"}).content.decode()
    assert page.count('name="_selected_action"') == 8
