"""Move the search from columns and indexes of the assets to a table of its own, which triggers maintain.

`assets_search` has one narrow row for each asset: reading it costs a fraction of reading the assets. One index of each
kind replaces indexes on four columns. `assets_search_version` tells which assets have changed since a count.

Writes of assets wait while this migration fills the table and builds the indexes: 100,000 assets took 5 minutes on two
cores that had four times as much to do. Reads go on until the old indexes are dropped at the end. CREATE INDEX
CONCURRENTLY would not help, because the table is new.
"""

from django.db import migrations

MAKE_TABLE = r"""
LOCK TABLE assets_asset IN SHARE ROW EXCLUSIVE MODE;

CREATE TABLE assets_search (
    asset_id bigint PRIMARY KEY,
    created_at timestamptz NOT NULL,
    public_id varchar(24) NOT NULL,
    layer varchar(1) NOT NULL,
    taxonomy_node_id bigint NOT NULL,
    is_live boolean NOT NULL,
    -- The text is that of search_text, then the gated texts, separated by line breaks; lengths in characters.
    base_length integer NOT NULL,
    creator_length integer NOT NULL,
    ai_length integer NOT NULL,
    text text NOT NULL
);

-- Not SQL, which PostgreSQL would inline and then take for cheap: a row takes 30 microseconds.
CREATE FUNCTION assets_search_words(document text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1200 AS $$
BEGIN
    RETURN to_tsvector('english', document);
END $$;

-- What the trigram index cannot find: 'ab' for two adjacent characters and 'a' for the end of a word; 'ab cd' for the
-- ends of two adjacent words; ' abc' for the stem of a word that does not contain its stem ("happy": "happi").
CREATE FUNCTION assets_search_grams(document text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 4000 AS $$
    SELECT array_to_tsvector(array_agg(gram)) FROM (
        SELECT CASE WHEN following <> ' ' THEN letter || following ELSE letter END AS gram
        FROM (SELECT string_to_array(translate(document, E'\n\r\t', '   '), NULL) AS letters) AS split,
            unnest(letters, letters[2:]) AS pair(letter, following)
        WHERE letter <> ' '
        UNION ALL
        SELECT right(word, 2) || ' ' || left(following, 2)
        FROM (SELECT word, lead(word) OVER () AS following
              FROM unnest(string_to_array(translate(document, E'\n\r\t', '   '), ' ')) AS word) AS words
        WHERE length(word) > 1 AND length(following) > 1
        UNION ALL
        SELECT ' ' || stem FROM unnest(tsvector_to_array(to_tsvector('english', document))) AS stem
        WHERE strpos(document, stem) = 0 AND length(stem) < 500
    ) AS grams
$$;
"""

# As a transition table cannot be read by a trigger of several events, there is a trigger for each.
MAKE_TRIGGERS = """
CREATE SEQUENCE assets_search_stamps;
CREATE TABLE assets_search_version (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chunk bigint NOT NULL,
    stamp bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX assets_search_version_chunk ON assets_search_version (chunk);

-- Stamp the chunks of 4,096 ids whose assets changed. A transaction takes a row that no other transaction holds, or adds
-- one: so writers never wait for each other, and a change is seen exactly when it is committed. A sequence gives the
-- stamps, because the same stamp must not come back after a rollback.
CREATE FUNCTION assets_search_stamp(chunks bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    changed bigint;
BEGIN
    FOREACH changed IN ARRAY chunks LOOP
        UPDATE assets_search_version SET stamp = nextval('assets_search_stamps') WHERE id = (
            SELECT id FROM assets_search_version WHERE chunk = changed FOR UPDATE SKIP LOCKED LIMIT 1);
        IF NOT FOUND THEN
            INSERT INTO assets_search_version (chunk, stamp) VALUES (changed, nextval('assets_search_stamps'));
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION assets_search_sync() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO assets_search
            SELECT id, created_at, public_id, layer, taxonomy_node_id, deleted_at IS NULL, length(search_text),
                length(creator_search_text), length(ai_search_text), full_search_text FROM new_rows;
        PERFORM assets_search_stamp(ARRAY(SELECT DISTINCT id >> 12 FROM new_rows));
    ELSIF TG_OP = 'UPDATE' THEN
        UPDATE assets_search SET created_at = n.created_at, public_id = n.public_id, layer = n.layer,
            taxonomy_node_id = n.taxonomy_node_id, is_live = n.deleted_at IS NULL, base_length = length(n.search_text),
            creator_length = length(n.creator_search_text), ai_length = length(n.ai_search_text),
            text = n.full_search_text
        FROM new_rows AS n JOIN old_rows AS o USING (id)
        WHERE asset_id = n.id AND (
            n.created_at, n.public_id, n.layer, n.taxonomy_node_id, n.deleted_at IS NULL, n.search_text,
            n.creator_search_text, n.ai_search_text
        ) IS DISTINCT FROM (
            o.created_at, o.public_id, o.layer, o.taxonomy_node_id, o.deleted_at IS NULL, o.search_text,
            o.creator_search_text, o.ai_search_text
        );
        PERFORM assets_search_stamp(ARRAY(SELECT DISTINCT id >> 12 FROM new_rows));
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM assets_search USING old_rows WHERE asset_id = old_rows.id;
        PERFORM assets_search_stamp(ARRAY(SELECT DISTINCT id >> 12 FROM old_rows));
    ELSE
        TRUNCATE assets_search;
        PERFORM assets_search_stamp(ARRAY(SELECT DISTINCT chunk FROM assets_search_version));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER assets_search_after_insert AFTER INSERT ON assets_asset
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION assets_search_sync();
CREATE TRIGGER assets_search_after_update AFTER UPDATE ON assets_asset
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION assets_search_sync();
CREATE TRIGGER assets_search_after_delete AFTER DELETE ON assets_asset
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION assets_search_sync();
CREATE TRIGGER assets_search_after_truncate AFTER TRUNCATE ON assets_asset
    FOR EACH STATEMENT EXECUTE FUNCTION assets_search_sync();
"""

# Filled before the indexes are built: ten times faster.
FILL = """
INSERT INTO assets_search
    SELECT id, created_at, public_id, layer, taxonomy_node_id, deleted_at IS NULL, length(search_text),
        length(creator_search_text), length(ai_search_text), full_search_text
    FROM assets_asset ORDER BY created_at, public_id;
INSERT INTO assets_search_version (chunk, stamp)
    SELECT chunk, nextval('assets_search_stamps') FROM (SELECT DISTINCT id >> 12 AS chunk FROM assets_asset) AS chunks;

CREATE INDEX assets_search_newest ON assets_search (created_at DESC, public_id DESC);
CREATE INDEX assets_search_layer_newest ON assets_search (layer, created_at DESC, public_id DESC);
CREATE INDEX assets_search_node_newest ON assets_search (taxonomy_node_id, created_at DESC, public_id DESC);
CREATE INDEX assets_search_by_trigram ON assets_search USING gin (text gin_trgm_ops);
CREATE INDEX assets_search_by_stem ON assets_search USING gin (assets_search_words(text));
CREATE INDEX assets_search_by_gram ON assets_search USING gin (assets_search_grams(text));
-- Markup may hide words of one text behind those of another: see `assets.search`.
CREATE INDEX assets_search_markup ON assets_search (asset_id)
    WHERE strpos(text, '<') > 0 AND creator_length + ai_length > 0;
ANALYZE assets_search;
-- Only the build of the indexes is worth parallel workers: starting them takes longer than the page of a search.
ALTER FUNCTION assets_search_words(text) PARALLEL RESTRICTED;
ALTER FUNCTION assets_search_grams(text) PARALLEL RESTRICTED;
"""

DROP_ALL = """
DROP TRIGGER assets_search_after_insert ON assets_asset;
DROP TRIGGER assets_search_after_update ON assets_asset;
DROP TRIGGER assets_search_after_delete ON assets_asset;
DROP TRIGGER assets_search_after_truncate ON assets_asset;
DROP FUNCTION assets_search_sync();
DROP FUNCTION assets_search_stamp(bigint[]);
DROP TABLE assets_search;
DROP TABLE assets_search_version;
DROP SEQUENCE assets_search_stamps;
DROP FUNCTION assets_search_words(text);
DROP FUNCTION assets_search_grams(text);
"""


class Migration(migrations.Migration):
    dependencies = [("assets", "0013_list_counters")]

    operations = [
        migrations.RunSQL(MAKE_TABLE + MAKE_TRIGGERS + FILL, DROP_ALL),
        # Last, because it also stops the reads.
        migrations.RemoveIndex("asset", "assets_search_substring"),
        migrations.RemoveIndex("asset", "assets_search_words"),
    ]
