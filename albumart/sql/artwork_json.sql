CREATE OR REPLACE FUNCTION albumart_stored_url(asset bigint, media_url text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (
        SELECT media_url || file.key
        FROM albumart_artwork art JOIN albumart_artworkfile file ON file.artwork_id = art.id AND file.name = '500'
        WHERE art.asset_id = asset AND art.is_current AND art.status = 'stored'
    );
END $$;

CREATE OR REPLACE FUNCTION albumart_details_json(asset bigint, media_url text) RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (
        SELECT json_build_object(
            'url', coalesce(
                (SELECT media_url || file.key FROM albumart_artworkfile file
                 WHERE file.artwork_id = art.id AND file.name = '500'),
                nullif(art.source_url, '')),
            'sourceUrl', nullif(art.source_url, ''),
            'source', nullif(art.source_name, ''),
            'quality', nullif(art.quality, ''),
            'uploadedAt', CASE WHEN art.status = 'stored' THEN
                to_char(art.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') END,
            'contentType', nullif(art.content_type, ''),
            'size', art.size_bytes,
            'status', CASE WHEN art.status = 'stored' THEN 'stored'
                WHEN art.status IN ('waiting', 'running') THEN 'pending' ELSE 'failed' END,
            'variants', (SELECT json_object_agg(file.name, media_url || file.key ORDER BY length(file.name), file.name)
                FROM albumart_artworkfile file WHERE file.artwork_id = art.id),
            'width', art.width_px,
            'height', art.height_px,
            'dominantColor', nullif(art.dominant_color, ''),
            'blurhash', nullif(art.blurhash, ''),
            'errorCode', CASE WHEN art.status IN ('refused', 'absent', 'failed') THEN nullif(art.error_code, '') END,
            'error', CASE WHEN art.status IN ('refused', 'absent', 'failed') THEN nullif(art.error_message, '') END
        )
        FROM albumart_artwork art WHERE art.asset_id = asset AND art.is_current
    );
END $$;
