"""Rows of the lists of the admin, made by SQL from the assets of a database, as many as there are assets."""

from django.db import connection, transaction

_ONE_RUN = """
    INSERT INTO backfills_backfillrun (rule_name, rule_version, parameters, table_name, fields, state, state_changed_at,
        reason, requested_by, plan_hash, total_rows, cursor_pk, undo_cursor_pk, batches_done, changed_rows,
        skipped_rows, failed_rows, restored_rows, conflict_rows, batch_size, sleep_ratio, wait_reason, error,
        created_at)
    VALUES ('assets.creator_description', 1, '{}', 'assets_asset', '{creator_description}', 'finished', now(), '',
        'bench@example.com', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 1, '', '', now()) RETURNING id
"""
# %(number)s: the number of assets. Every 20th asset has artwork that failed, every second one is a bug report.
_STATEMENTS = (
    """INSERT INTO accounts_user (password, is_superuser, public_id, email, username, role, is_active, is_staff,
        created_at, updated_at)
    SELECT '', false, lpad(to_hex(n), 24, '0'), 'user' || n || '@studio.example', 'user ' || n, 'editor', true, false,
        now() - n * interval '1 minute', now() FROM generate_series(1, %(number)s / 10) AS n""",
    """INSERT INTO albumart_artwork (asset_id, is_current, source_url, source_host, source_name, trigger, requested_by,
        requested_at, status, attempts, wait_reason, error_code, error_message, content_type, quality, measurements,
        dominant_color, blurhash, size_bytes, width_px, height_px)
    SELECT id, true, 'https://art' || id %% 7 || '.example/' || id || '.jpg', 'art' || id %% 7 || '.example', 'Web',
        'client', 'mira@studio.example', created_at, CASE WHEN id %% 20 = 0 THEN 'failed' ELSE 'stored' END, 1, '',
        CASE WHEN id %% 20 = 0 THEN 'timed_out' ELSE '' END, '', 'image/jpeg', 'High', '{}', '#102030', '', 9, 500, 500
    FROM assets_asset""",
    """INSERT INTO albumart_artworkfile (artwork_id, name, key, content_type, size_bytes, width_px, height_px)
    SELECT id, '150', 'album-art/' || md5(id::text) || '.jpg', 'image/jpeg', 9, 150, 150 FROM albumart_artwork
    WHERE status = 'stored'""",
    """INSERT INTO backfills_backfillchange (row_pk, field, after, run_id)
    SELECT id, 'creator_description', '"text"', %(run)s FROM assets_asset""",
    """INSERT INTO backfills_backfillrowerror (row_pk, label, reason, attempts, failed_at, resolution, run_id)
    SELECT id, name, 'value too long', 1, now(), '', %(run)s FROM assets_asset WHERE id %% 10 = 0""",
    """INSERT INTO assets_sequencereservation (taxonomy_node_id, number, purpose, media_key, reserved_by, reserved_at,
        expires_at)
    SELECT taxonomy_node_id, 10000000 + id, 'request', '', 'mira@studio.example', created_at, created_at
    FROM assets_asset WHERE id %% 4 = 0""",
    """INSERT INTO bugreports_notification (kind, key, body, status, attempts, written_at, next_attempt_at, sent_at,
        last_error)
    SELECT 'webhook', 'submitted:' || n, '{}', 'sent', 1, now(), now(), now(), ''
    FROM generate_series(1, %(number)s) AS n""",
    """INSERT INTO bugreports_bugreport (report_id, submitted_by, submitted_at, description, steps_to_reproduce,
        app_version, route, has_recent_logs, has_network_events, redaction_count, content_sha256, status,
        automation_attempts, occurrence_count, last_seen_at, retain, retain_reason, version, created_at, updated_at)
    SELECT 'bug_' || n, 'lia@studio.example', now() - n * interval '1 minute', 'The shelf ' || n || ' stays empty',
        '[]', '1.0', '/', true, false, 0, '', 'open', 0, 1 + n %% 9, now() - n * interval '1 minute', false, '', 1,
        now(), now() FROM generate_series(1, %(number)s / 2) AS n""",
)


def fill_lists() -> None:
    """Fill the tables of all long lists but that of assets."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM assets_asset")
        number = cursor.fetchone()[0]
        cursor.execute(_ONE_RUN)
        run = cursor.fetchone()[0]
        for statement in _STATEMENTS:
            cursor.execute(statement, {"number": number, "run": run})
