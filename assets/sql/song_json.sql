-- The value of `songMetadata`. PL/pgSQL: PostgreSQL plans it once per connection, a SQL function with each statement.
-- A change needs a migration with a copy of this file.
CREATE OR REPLACE FUNCTION assets_song_json(tags text[], ai_metadata jsonb) RETURNS json
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    bpm numeric;
    genre text;
BEGIN
    IF jsonb_typeof(ai_metadata->'bpm') = 'number' THEN
        bpm := ai_metadata->>'bpm';
    ELSE
        -- Without metadata the tempo comes from a tag such as "104bpm".
        bpm := (SELECT substring(tag FROM '^[0-9]{2,3}') FROM unnest(tags) AS tag WHERE tag ~ '^[0-9]{2,3}bpm$' LIMIT 1);
    END IF;
    IF jsonb_typeof(ai_metadata->'genre') = 'string' THEN
        genre := ai_metadata->>'genre';
    END IF;
    IF bpm IS NULL AND genre IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN json_build_object('bpm', bpm, 'genre', genre);
END
$$;
