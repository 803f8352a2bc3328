"""The move out of bugreports keeps rows, content type and permissions, forwards and backwards."""

import pytest
from django.core.management import call_command
from django.db import connection


def _permissions() -> list[tuple[str, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.app_label, c.model, p.codename FROM auth_permission p"
            " JOIN django_content_type c ON c.id = p.content_type_id"
            " JOIN auth_group_permissions g ON g.permission_id = p.id JOIN auth_group a ON a.id = g.group_id"
            " WHERE a.name = 'Auditors' AND p.codename IN ('view_notice', 'view_notification')"
        )
        return cursor.fetchall()


def _statuses() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, requested_by FROM bugreports_purgerun ORDER BY id")
        return cursor.fetchall()


def _row(table: str) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT key, body::text FROM {table}")  # noqa: S608 - the name is a constant of this test
        return cursor.fetchall()


@pytest.mark.slow
@pytest.mark.usefixtures("own_database")
def test_rows_and_permissions_survive_both_directions() -> None:
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bugreports_notification (kind, key, body, status, attempts, written_at, next_attempt_at,"
            " last_error) VALUES ('digest', 'digest:1', '{\"user\": 7}', 'waiting', 0, now(), now(), '')"
        )
        cursor.execute(
            "INSERT INTO bugreports_purgerun (started_at, finished_at, status, requested_by, cutoff, includes_open,"
            " matched, deleted, skipped, expired, digest, reason) VALUES"
            " (now(), now(), 'interrupted', 'schedule', now(), false, 0, 0, 0, 0, '', '')"
        )
    assert _permissions() == [("notifications", "notification", "view_notification")]
    call_command("migrate", "bugreports", "0002", verbosity=0)
    assert _permissions() == [("bugreports", "notice", "view_notice")]
    assert _row("bugreports_notice") == [("digest:1", '{"person": 7}')]
    assert _statuses() == [("died", "clock")]
    call_command("migrate", verbosity=0)
    assert _permissions() == [("notifications", "notification", "view_notification")]
    assert _row("bugreports_notification") == [("digest:1", '{"user": 7}')]
    assert _statuses() == [("interrupted", "schedule")]
