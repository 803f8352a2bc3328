"""What is known of a song, as a function: a subquery was planned anew for every read, whether it met a song or not."""

from django.db import migrations

# PL/pgSQL, because PostgreSQL plans it once a connection; a function in SQL would be planned with each statement.
MAKE_SONG = """
CREATE FUNCTION assets_song_json(tags text[], ai_metadata jsonb) RETURNS json
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    bpm numeric;
    genre text;
BEGIN
    IF jsonb_typeof(ai_metadata->'bpm') = 'number' THEN
        bpm := ai_metadata->>'bpm';
    ELSE
        -- "104bpm" among the tags tells the tempo where no metadata does.
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
"""
DROP_SONG = "DROP FUNCTION assets_song_json(text[], jsonb)"


class Migration(migrations.Migration):
    dependencies = [("assets", "0003_document")]

    operations = [migrations.RunSQL(MAKE_SONG, DROP_SONG)]
