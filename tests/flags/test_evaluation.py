import logging
import random

import pytest
import waffle
from django.contrib.auth.models import AnonymousUser, Group
from django.core.cache import cache
from django.db import transaction
from django.test import RequestFactory
from django.utils import timezone
from redis.exceptions import ConnectionError as CacheDown
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from flags.bucketing import is_in_percentage
from flags.editing import update_flag
from flags.evaluation import ALL_OFF, cached_then_fresh_flags, flags_for_request, is_current
from flags.models import FieldFlag
from flags.querysets import FLAGS_VERSION_SQL
from flags.registry import ALBUM_ART, FLAG_NAMES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeded")]


def edit(name=ALBUM_ART, **changes):
    update_flag(name=name, by=None, reason="test", now=timezone.now(), **changes)


def request_of(user=None, **parts):
    request = RequestFactory().get("/", **parts)
    if user is not None:
        request.user = user
    return request


def is_on(user=None, **parts):
    return flags_for_request(request_of(user, **parts)).is_on(ALBUM_ART)


class LateAuthentication(BaseAuthentication):
    """Authenticates in the view, as a token does."""

    user = None

    def authenticate(self, request):
        return (self.user, None)


def view_of(user, response):
    class Authentication(LateAuthentication):
        pass

    Authentication.user = user

    class View(APIView):
        authentication_classes = [Authentication]
        permission_classes = [AllowAny]

        def get(self, request):
            return Response(response(request))

    return View.as_view()


def test_a_token_user_gets_the_same_result_in_a_thousand_calls(make_user):
    edit(everyone=None, percent=50)
    user = make_user()
    view = view_of(user, lambda request: flags_for_request(request).is_on(ALBUM_ART))
    results = set()
    for number in range(1_000):
        random.seed(number)
        results.add(view(APIRequestFactory().get("/")).data)
    assert results == {is_in_percentage(ALBUM_ART, user.public_id, 50)}


def test_a_percentage_applies_to_users_with_tokens(make_user):
    edit(everyone=None, percent=50)
    users = [make_user() for _ in range(60)]
    on = [
        view_of(one, lambda request: flags_for_request(request).is_on(ALBUM_ART))(APIRequestFactory().get("/"))
        for one in users
    ]
    assert [response.data for response in on] == [is_in_percentage(ALBUM_ART, one.public_id, 50) for one in users]
    assert {response.data for response in on} == {True, False}


@pytest.mark.parametrize("is_rest", [True, False])
def test_waffle_returns_the_same_results(make_user, is_rest):
    edit(everyone=None, percent=50)

    def response(request):
        plain = getattr(request, "_request", request)
        ours = flags_for_request(request)
        return all(
            waffle.flag_is_active(either, name) is ours.is_on(name)
            for name in FLAG_NAMES
            for either in (request, plain)
        )

    for _ in range(20):
        user = make_user()
        if is_rest:
            assert view_of(user, response)(APIRequestFactory().get("/")).data
        else:
            assert response(request_of(user))


def test_flags_are_evaluated_again_after_authentication_in_the_view(make_user):
    edit(everyone=None, authenticated=True)
    request = APIRequestFactory().get("/")
    assert not flags_for_request(request).is_on(ALBUM_ART)
    assert view_of(make_user(), lambda inner: flags_for_request(inner).is_on(ALBUM_ART))(request).data


@pytest.mark.parametrize("everyone", [False, None])
@pytest.mark.parametrize(
    "parts",
    [
        {"query_params": {ALBUM_ART: "1", f"dwft_{ALBUM_ART}": "1"}},
        {"headers": {f"dwft-{ALBUM_ART.replace('_', '-')}": "1", f"dwf-{ALBUM_ART.replace('_', '-')}": "1"}},
        {"headers": {"cookie": f"dwf_{ALBUM_ART}=True; dwft_{ALBUM_ART}=True"}},
    ],
    ids=["query", "header", "cookie"],
)
def test_requests_cannot_change_flags(make_user, settings, everyone, parts):
    settings.WAFFLE_OVERRIDE = True
    edit(everyone=everyone)
    request = request_of(make_user(), **parts)
    assert not flags_for_request(request).is_on(ALBUM_ART)
    assert not waffle.flag_is_active(request_of(make_user(), **parts), ALBUM_ART)


def test_superusers_have_no_exception(superuser):
    edit(everyone=None, percent=0)
    assert not is_on(superuser)
    edit(everyone=None, percent=50)
    assert is_on(superuser) is is_in_percentage(ALBUM_ART, superuser.public_id, 50)


def test_only_everyone_applies_to_anonymous_callers():
    edit(everyone=None, percent=99.9, authenticated=True, staff=True)
    assert not is_on()
    assert not is_on(AnonymousUser())
    edit(everyone=True)
    assert is_on()
    assert is_on(AnonymousUser())


def test_flag_is_on_for_targeted_users_and_groups(make_user):
    named, member, other = make_user(), make_user(), make_user()
    group = Group.objects.create(name="Pilots")
    member.groups.add(group)
    edit(everyone=None, users=[named], groups=[group])
    assert [is_on(one) for one in (named, member, other)] == [True, True, False]


def test_an_edit_does_not_change_the_flags_of_a_running_request(make_user):
    edit(everyone=True)
    user = make_user()
    running = request_of(user)
    assert flags_for_request(running).is_on(ALBUM_ART)
    edit(everyone=False)
    assert flags_for_request(running).is_on(ALBUM_ART)
    assert waffle.flag_is_active(running, ALBUM_ART)
    assert not is_on(user)


def test_cached_flags_cost_one_query_for_each_request(make_user, django_assert_num_queries):
    edit(everyone=None, percent=50, users=[make_user()])
    user = make_user()
    flags_for_request(request_of(user))
    with django_assert_num_queries(3) as queries:
        for _ in range(3):
            request = request_of(user)
            flags_for_request(request)
            flags_for_request(request)
    assert all(query["sql"] == f"SELECT {FLAGS_VERSION_SQL}" for query in queries)


def test_every_edit_has_another_version_also_if_rolled_back(make_user):
    versions = [FieldFlag.objects.version()]
    for changes in ({"everyone": True}, {"everyone": False}, {"users": [make_user()]}, {"users": []}):
        edit(**changes)
        versions.append(FieldFlag.objects.version())
    before = versions[-1]
    for _ in range(3):
        with transaction.atomic():
            edit(everyone=True)
            versions.append(FieldFlag.objects.version())
            transaction.set_rollback(True)
        assert FieldFlag.objects.version() == before
    assert len(set(versions)) == len(versions)


def test_cached_flags_are_current_without_a_query_if_the_read_saw_the_same_version(django_assert_num_queries):
    flags_for_request(request_of())
    seen_version = FieldFlag.objects.version()
    with django_assert_num_queries(0):
        flags = next(cached_then_fresh_flags(request_of()))
        assert is_current(flags, seen_version)
    assert flags == ALL_OFF


@pytest.mark.parametrize("has_rows", [True, False])
def test_fresh_flags_follow_if_the_flags_were_changed(has_rows):
    flags_for_request(request_of())
    edit(everyone=True)
    seen_version = FieldFlag.objects.version() if has_rows else None
    cached, fresh = cached_then_fresh_flags(request_of())
    assert not is_current(cached, seen_version)
    assert not cached.is_on(ALBUM_ART)
    assert is_current(fresh, seen_version)
    assert fresh.is_on(ALBUM_ART)


def test_a_missing_flag_is_off_and_logged_and_not_created(caplog):
    FieldFlag.objects.filter(name=ALBUM_ART).delete()
    assert not is_on()
    assert [record.flag for record in caplog.records if record.levelno == logging.ERROR] == [ALBUM_ART]
    assert not FieldFlag.objects.filter(name=ALBUM_ART).exists()


def test_an_unknown_flag_is_off_and_logged_and_not_created(caplog):
    assert not waffle.flag_is_active(request_of(), "no_such_flag")
    assert "unknown flag counts as off" in caplog.text
    assert not FieldFlag.objects.filter(name="no_such_flag").exists()


@pytest.mark.django_db(transaction=True)
def test_an_edit_is_visible_without_the_shared_cache(settings):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    with pytest.raises(CacheDown):
        cache.get("anything")
    assert not is_on()
    update_flag(name=ALBUM_ART, by=None, reason="test", now=timezone.now(), everyone=True)
    assert is_on()


@pytest.mark.django_db(transaction=True)
def test_an_edit_is_visible_to_the_next_request():
    assert not is_on()
    update_flag(name=ALBUM_ART, by=None, reason="test", now=timezone.now(), everyone=True)
    assert is_on()


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_edit_is_never_visible(make_user):
    assert not is_on()
    with transaction.atomic():
        update_flag(name=ALBUM_ART, by=None, reason="test", now=timezone.now(), everyone=True, users=[make_user()])
        transaction.set_rollback(True)
    assert not is_on()
