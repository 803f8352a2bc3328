"""Keep tags in the order of lists, counts of live assets for each filter, and the last writes, by statement triggers.

No writer waits for another one in these tables: rows are only added, and a statement in fifty merges those that it finds
unlocked. So writers neither queue for the counter of a popular tag nor lock each other crosswise.
"""

# ruff: noqa: S608  # constant SQL

from django.db import migrations

MAKE_TABLES = """
-- A row for each tag of each live asset: the index is the list of a tag, newest first.
CREATE TABLE assets_tagged (
    tag text NOT NULL, created_at timestamptz NOT NULL, public_id text NOT NULL, taxonomy_node_id bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);

-- The count of a name is the sum of its deltas.
CREATE TABLE assets_counter (name text NOT NULL, delta bigint NOT NULL);
CREATE INDEX assets_counter_names ON assets_counter (name) INCLUDE (delta);

-- The last statements that wrote assets. Snapshots that see the same rows here see the same assets.
CREATE TABLE assets_write (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
"""

_COLUMNS = """public_id, created_at, taxonomy_node_id, tags, curated_at IS NOT NULL AS is_curated,
    album_art IS NOT NULL AS has_album_art,
    CASE WHEN creator_description IS NOT NULL THEN creator_description_origin END AS description_origin"""


def _live(rows):
    return f"SELECT {_COLUMNS} FROM {rows} WHERE deleted_at IS NULL"


_NEW, _OLD = _live("new_rows"), _live("old_rows")
_UNTAG = """removed AS (
    DELETE FROM assets_tagged t
    USING (SELECT DISTINCT unnest(tags)::text AS tag, created_at, public_id FROM changed WHERE change < 0) AS gone
    WHERE t.tag = gone.tag AND t.created_at = gone.created_at AND t.public_id = gone.public_id
), """
_TAG = """added AS (
    INSERT INTO assets_tagged (tag, created_at, public_id, taxonomy_node_id)
    SELECT DISTINCT unnest(tags), created_at, public_id, taxonomy_node_id FROM changed WHERE change > 0
), """


def _apply(changed, untag=_UNTAG, tag=_TAG):
    return f"""WITH changed AS ({changed}), {untag}{tag}counted AS (
    INSERT INTO assets_counter (name, delta)
    SELECT name, sum(change) FROM changed CROSS JOIN LATERAL (
        SELECT DISTINCT 'tag ' || unnest(tags)
        UNION ALL SELECT 'curated' WHERE is_curated
        UNION ALL SELECT 'album_art' WHERE has_album_art
        UNION ALL SELECT 'creator_description ' || description_origin WHERE description_origin IS NOT NULL
    ) AS names (name) GROUP BY name HAVING sum(change) <> 0 RETURNING name
) SELECT array_agg(name) INTO changed_names FROM counted;"""


MAKE_TRIGGERS = f"""
CREATE FUNCTION assets_note_write() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    new_id bigint;
BEGIN
    INSERT INTO assets_write DEFAULT VALUES RETURNING id INTO new_id;
    IF new_id % 50 = 0 THEN
        DELETE FROM assets_write
        WHERE id = ANY (ARRAY(SELECT id FROM assets_write WHERE id < new_id FOR UPDATE SKIP LOCKED));
    END IF;
END $$;

CREATE FUNCTION assets_merge_counters(merged_names text[]) RETURNS void LANGUAGE sql AS $$
    WITH merged AS (
        DELETE FROM assets_counter WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM assets_counter WHERE name = ANY (merged_names) FOR UPDATE SKIP LOCKED
        )) RETURNING name, delta
    )
    INSERT INTO assets_counter SELECT name, sum(delta) FROM merged GROUP BY name HAVING sum(delta) <> 0;
$$;

-- Nested loops over the index only: a plan made for a large statement would scan the table for each small one.
CREATE FUNCTION assets_count_for_lists() RETURNS trigger LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    changed_names text[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        {_apply(f"SELECT 1 AS change, * FROM ({_NEW}) AS new", untag="")}
    ELSIF TG_OP = 'DELETE' THEN
        {_apply(f"SELECT -1 AS change, * FROM ({_OLD}) AS old", tag="")}
    ELSE
        {
    _apply(
        f"SELECT 1 AS change, * FROM ({_NEW} EXCEPT {_OLD}) AS new"
        f" UNION ALL SELECT -1, * FROM ({_OLD} EXCEPT {_NEW}) AS old"
    )
}
    END IF;
    PERFORM assets_note_write();
    IF random() < 0.02 THEN
        PERFORM assets_merge_counters(changed_names);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION assets_rebuild_list_counters() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    changed_names text[];
BEGIN
    TRUNCATE assets_tagged, assets_counter;
    {_apply(f"SELECT 1 AS change, * FROM ({_live('assets_asset')}) AS new", untag="")}
    PERFORM assets_note_write();
END $$;

CREATE FUNCTION assets_truncate_list_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE assets_tagged, assets_counter;
    PERFORM assets_note_write();
    RETURN NULL;
END $$;

SELECT assets_rebuild_list_counters();
CREATE INDEX assets_tagged_newest ON assets_tagged (tag, created_at DESC, public_id DESC) INCLUDE (taxonomy_node_id);
ANALYZE assets_tagged;

CREATE TRIGGER assets_lists_after_insert AFTER INSERT ON assets_asset
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION assets_count_for_lists();
CREATE TRIGGER assets_lists_after_delete AFTER DELETE ON assets_asset
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION assets_count_for_lists();
CREATE TRIGGER assets_lists_after_update AFTER UPDATE ON assets_asset
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION assets_count_for_lists();
CREATE TRIGGER assets_lists_after_truncate AFTER TRUNCATE ON assets_asset
    FOR EACH STATEMENT EXECUTE FUNCTION assets_truncate_list_counters();
"""

DROP_TRIGGERS = """
DROP TRIGGER assets_lists_after_insert ON assets_asset;
DROP TRIGGER assets_lists_after_delete ON assets_asset;
DROP TRIGGER assets_lists_after_update ON assets_asset;
DROP TRIGGER assets_lists_after_truncate ON assets_asset;
DROP FUNCTION assets_count_for_lists();
DROP FUNCTION assets_truncate_list_counters();
DROP FUNCTION assets_rebuild_list_counters();
DROP FUNCTION assets_merge_counters(text[]);
DROP FUNCTION assets_note_write();
"""
DROP_TABLES = "DROP TABLE assets_tagged, assets_counter, assets_write"


class Migration(migrations.Migration):
    dependencies = [("assets", "0012_counters_in_one_statement")]

    operations = [
        migrations.RunSQL(MAKE_TABLES, DROP_TABLES),
        migrations.RunSQL(MAKE_TRIGGERS, DROP_TRIGGERS),
    ]
