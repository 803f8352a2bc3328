"""Keep `SequenceCounter.live_count` by statement triggers: totals that are exact and cost no count of rows.

Each trigger sums what one statement changed and touches the counters in the order of their keys, so that two
bulk statements cannot lock them crosswise.
"""

from django.db import migrations

MAKE_TRIGGERS = """
CREATE FUNCTION assets_count_live() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        FOR change IN
            SELECT taxonomy_node_id AS node, count(*) AS delta FROM new_rows WHERE deleted_at IS NULL
            GROUP BY 1 ORDER BY 1
        LOOP
            PERFORM assets_add_live(change.node, change.delta);
        END LOOP;
    ELSIF TG_OP = 'DELETE' THEN
        FOR change IN
            SELECT taxonomy_node_id AS node, -count(*) AS delta FROM old_rows WHERE deleted_at IS NULL
            GROUP BY 1 ORDER BY 1
        LOOP
            PERFORM assets_add_live(change.node, change.delta);
        END LOOP;
    ELSE
        FOR change IN
            SELECT node, sum(delta) AS delta FROM (
                SELECT taxonomy_node_id AS node, 1 AS delta FROM new_rows WHERE deleted_at IS NULL
                UNION ALL
                SELECT taxonomy_node_id, -1 FROM old_rows WHERE deleted_at IS NULL
            ) AS both_sides GROUP BY node HAVING sum(delta) <> 0 ORDER BY node
        LOOP
            PERFORM assets_add_live(change.node, change.delta);
        END LOOP;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION assets_add_live(node bigint, delta bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO assets_sequencecounter (taxonomy_node_id, last_number, live_count) VALUES (node, 0, greatest(delta, 0))
    ON CONFLICT (taxonomy_node_id) DO UPDATE SET live_count = assets_sequencecounter.live_count + delta;
$$;

CREATE TRIGGER assets_live_after_insert AFTER INSERT ON assets_asset
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION assets_count_live();
CREATE TRIGGER assets_live_after_delete AFTER DELETE ON assets_asset
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION assets_count_live();
CREATE TRIGGER assets_live_after_update AFTER UPDATE ON assets_asset
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION assets_count_live();
"""

DROP_TRIGGERS = """
DROP TRIGGER assets_live_after_insert ON assets_asset;
DROP TRIGGER assets_live_after_delete ON assets_asset;
DROP TRIGGER assets_live_after_update ON assets_asset;
DROP FUNCTION assets_count_live();
DROP FUNCTION assets_add_live(bigint, bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("assets", "0001_initial")]

    operations = [migrations.RunSQL(MAKE_TRIGGERS, DROP_TRIGGERS)]
