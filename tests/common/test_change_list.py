"""The paginator of all lists of the admin."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from common import change_list
from common.change_list import KeyPaginator
from tests.factories.accounts import AdminFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def cap(monkeypatch):
    monkeypatch.setattr(change_list, "COUNTED_ROWS", 5)


def test_counts_exactly_up_to_the_limit(cap):
    UserFactory.create_batch(5)
    assert str(KeyPaginator(User.objects.all(), 2).count) == "5"
    assert str(KeyPaginator([1, 2, 3], 2).count) == "3"


def test_beyond_the_limit_counts_no_further_and_says_so(cap, django_assert_num_queries):
    UserFactory.create_batch(7)
    paginator = KeyPaginator(User.objects.order_by("email"), 2)
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


@pytest.mark.parametrize("length", [1, 2, 3, 4, 9])
def test_the_pages_have_all_rows_in_order(length):
    UserFactory.create_batch(9)
    rows = User.objects.order_by("role", "-email").defer("password")
    paginator = KeyPaginator(rows, length)
    assert [row for page in paginator for row in page] == list(rows)
    assert [len(page) for page in paginator][:-1] == [length] * (paginator.num_pages - 1)


def test_a_page_of_the_second_half_is_read_from_the_end():
    UserFactory.create_batch(9)
    paginator = KeyPaginator(User.objects.order_by("email"), 2)
    assert paginator.count == 9
    with CaptureQueriesContext(connection) as queries:
        assert [user.email for user in paginator.page(5)] == [User.objects.order_by("email").last().email]
    keys = queries[0]["sql"]
    assert 'ORDER BY "accounts_user"."email" DESC' in keys
    assert "OFFSET" not in keys
    assert '"username"' not in keys  # only the keys are skipped
