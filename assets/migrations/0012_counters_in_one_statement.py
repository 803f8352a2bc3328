"""Maintain the live counts with one statement per trigger instead of one per subcategory.

An insert is one upsert in the order of the keys. A delete or update first locks the changed counters in that order,
because an `UPDATE` with a join locks rows in the order of its plan, and two of them could deadlock.
"""

from importlib import import_module

from django.db import migrations

_previous = import_module("assets.migrations.0002_live_counts")

REPLACE_TRIGGERS = """
CREATE FUNCTION assets_count_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO assets_sequencecounter AS counter (taxonomy_node_id, last_number, live_count)
    SELECT taxonomy_node_id, 0, count(*) FROM new_rows WHERE deleted_at IS NULL GROUP BY 1 ORDER BY 1
    ON CONFLICT (taxonomy_node_id) DO UPDATE SET live_count = counter.live_count + excluded.live_count;
    RETURN NULL;
END $$;

CREATE FUNCTION assets_add_live(nodes bigint[], deltas bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- A subcategory that never had an asset has no counter yet.
    INSERT INTO assets_sequencecounter (taxonomy_node_id, last_number, live_count)
    SELECT node, 0, 0 FROM unnest(nodes) AS node ORDER BY node ON CONFLICT DO NOTHING;
    PERFORM 1 FROM assets_sequencecounter WHERE taxonomy_node_id = ANY(nodes) ORDER BY taxonomy_node_id
    FOR NO KEY UPDATE;
    UPDATE assets_sequencecounter AS counter SET live_count = counter.live_count + change.delta
    FROM unnest(nodes, deltas) AS change (node, delta) WHERE counter.taxonomy_node_id = change.node;
END $$;

CREATE FUNCTION assets_count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    nodes bigint[];
    deltas bigint[];
BEGIN
    SELECT array_agg(node), array_agg(delta) INTO nodes, deltas FROM (
        SELECT taxonomy_node_id AS node, -count(*) AS delta FROM old_rows WHERE deleted_at IS NULL GROUP BY 1
    ) AS changes;
    IF nodes IS NOT NULL THEN
        PERFORM assets_add_live(nodes, deltas);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION assets_count_updated() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    nodes bigint[];
    deltas bigint[];
BEGIN
    SELECT array_agg(node), array_agg(delta) INTO nodes, deltas FROM (
        SELECT node, sum(delta) AS delta FROM (
            SELECT taxonomy_node_id AS node, count(*) AS delta FROM new_rows WHERE deleted_at IS NULL GROUP BY 1
            UNION ALL
            SELECT taxonomy_node_id, -count(*) FROM old_rows WHERE deleted_at IS NULL GROUP BY 1
        ) AS both_sides GROUP BY node HAVING sum(delta) <> 0
    ) AS changes;
    IF nodes IS NOT NULL THEN
        PERFORM assets_add_live(nodes, deltas);
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER assets_live_after_insert ON assets_asset;
DROP TRIGGER assets_live_after_delete ON assets_asset;
DROP TRIGGER assets_live_after_update ON assets_asset;
DROP FUNCTION assets_count_live();
DROP FUNCTION assets_add_live(bigint, bigint);

CREATE TRIGGER assets_live_after_insert AFTER INSERT ON assets_asset
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION assets_count_inserted();
CREATE TRIGGER assets_live_after_delete AFTER DELETE ON assets_asset
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION assets_count_deleted();
CREATE TRIGGER assets_live_after_update AFTER UPDATE ON assets_asset
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION assets_count_updated();
"""

DROP_TRIGGERS = """
DROP TRIGGER assets_live_after_insert ON assets_asset;
DROP TRIGGER assets_live_after_delete ON assets_asset;
DROP TRIGGER assets_live_after_update ON assets_asset;
DROP FUNCTION assets_count_inserted();
DROP FUNCTION assets_count_deleted();
DROP FUNCTION assets_count_updated();
DROP FUNCTION assets_add_live(bigint[], bigint[]);
"""


class Migration(migrations.Migration):
    dependencies = [("assets", "0011_page_indexes")]

    operations = [migrations.RunSQL(REPLACE_TRIGGERS, DROP_TRIGGERS + _previous.MAKE_TRIGGERS)]
