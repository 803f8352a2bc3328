"""Open the lists of the admin in one process, for `benchmarks.admin_pages`, which sets Django up first."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from django.contrib import admin
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from assets.demo import load_demo
from benchmarks.admin_rows import fill_lists
from taxonomy.snapshot_cache import clear_taxonomy_cache
from taxonomy.sync import install_starter_taxonomy

# A search per list that finds many rows, or the only word its rows have.
SEARCHES = {"Asset": "neon", "Artwork": "G.POP", "BugReport": "shelf", "User": "user 7", "BackfillChange": "777"}


class Measured(NamedTuple):
    ms: float
    queries: int
    kib: float


def use_database(name: str, assets: int) -> None:
    """Use the database from here on. The first time it is created and filled."""
    connection.close()
    clear_taxonomy_cache()
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        is_new = cursor.fetchone() is None
        if is_new:
            cursor.execute(f'CREATE DATABASE "{name}"')
    connection.settings_dict["NAME"] = name
    if is_new:
        call_command("migrate", verbosity=0)
        now = timezone.now()
        install_starter_taxonomy(now=now)
        load_demo(asset_count=assets, now=now)
        fill_lists()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def pages() -> Iterator[tuple[str, str, str]]:
    """Yield (list, page, URL): the first page, the middle and last one, and a search, of the current database."""
    client = _client()
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label):
        page_admin = admin.site._registry[model]
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        last = client.get(url).context_data["cl"].paginator.num_pages
        yield model.__name__, "first", url
        if last > 1:
            yield model.__name__, "middle", f"{url}?p={last // 2}"
            yield model.__name__, "last", f"{url}?p={last}"
        if page_admin.search_fields:
            yield model.__name__, "search", f"{url}?q={SEARCHES.get(model.__name__, 'a').replace(' ', '+')}"


def filter_pages() -> Iterator[tuple[str, str, str]]:
    """Yield (list, page, URL) for a value of each filter of each list."""
    client = _client()
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label):
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        changes = client.get(url).context_data["cl"]
        for spec in changes.filter_specs:
            choices = list(spec.choices(changes))
            if len(choices) > 1:
                yield from (
                    (model.__name__, choice["query_string"], url + choice["query_string"]) for choice in choices
                )
                continue
            for name, field in choices[0]["form"].fields.items():
                values = [value for value, _ in getattr(field, "choices", []) if value]
                yield from ((model.__name__, f"?{name}={value}", f"{url}?{name}={value}") for value in values[:12])


def measure(url: str) -> Measured:
    client = _client()
    started = time.perf_counter()
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    took = (time.perf_counter() - started) * 1000
    if response.status_code != 200:
        raise RuntimeError(f"{url}: {response.status_code}")
    return Measured(took, len(queries), len(response.content) / 1024)


def _client() -> Client:
    client = Client(headers={"host": "127.0.0.1"})
    user = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("lists@example.com")
    client.force_login(user)
    return client
