"""Keep the part of an asset's JSON that no flag and no setting changes as text, made when the row is written.

A page of assets is then read, not built: building fifty documents took longer than all the rest of the request.
"""

from django.db import migrations, models

# Declared immutable with reason: every argument's text is the same under any setting, moments are written in UTC.
# Without its braces, so that what belongs to flags and settings can be put behind it.
MAKE_DOCUMENT = r"""
CREATE FUNCTION assets_document(
    public_id text, layer text, category text, subcategory text, name text, nna_address text, source text, tags text[],
    description text, training_data jsonb, rights jsonb, components text[], registered_by text, file_size bigint,
    mime_type text, original_filename text, curated_at timestamptz, created_at timestamptz, updated_at timestamptz,
    revision integer
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT substr(whole, 2, length(whole) - 2) FROM (SELECT json_build_object(
        '_id', public_id, 'id', public_id, 'layer', layer, 'category', category, 'subcategory', subcategory,
        'name', name, 'nna_address', nna_address, 'source', source, 'tags', tags, 'description', description,
        'trainingData', training_data, 'rights', rights, 'components', components, 'registeredBy', registered_by,
        'fileSize', file_size, 'mimeType', nullif(mime_type, ''), 'originalFilename', nullif(original_filename, ''),
        'status', CASE WHEN curated_at IS NULL THEN 'active' ELSE 'curated' END,
        'createdAt', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'updatedAt', to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        '__v', revision
    )::text AS whole) AS made
$$;
"""
DROP_DOCUMENT = (
    "DROP FUNCTION assets_document(text, text, text, text, text, text, text, text[], text, jsonb, jsonb, text[], text,"
    " bigint, text, text, timestamptz, timestamptz, timestamptz, integer)"
)
COLUMNS = (
    "public_id", "layer", "category", "subcategory", "name", "nna_address", "source", "tags", "description",
    "training_data", "rights", "components", "registered_by", "file_size", "mime_type", "original_filename",
    "curated_at", "created_at", "updated_at", "revision",
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("assets", "0002_live_counts")]

    operations = [
        migrations.RunSQL(MAKE_DOCUMENT, DROP_DOCUMENT),
        migrations.AddField(
            model_name="asset",
            name="document",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Func(
                    *[models.F(column) for column in COLUMNS],
                    function="assets_document",
                    output_field=models.TextField(),
                ),
                output_field=models.TextField(),
            ),
        ),
    ]
