"""What clients read of an asset's picture, as SQL that completes the asset's JSON. `%s` is where files are public."""

# The size clients show is the contract's 500.
_CURRENT = "FROM albumart_artwork art WHERE art.asset_id = assets_asset.id AND art.is_current"
_STORED_URL = (
    "(SELECT %s || file.key FROM albumart_artworkfile file WHERE file.artwork_id = art.id AND file.name = '500')"
)
_VARIANTS = (
    "(SELECT json_object_agg(file.name, %s || file.key ORDER BY length(file.name), file.name)"
    " FROM albumart_artworkfile file WHERE file.artwork_id = art.id)"
)
_STATUS = (
    "CASE WHEN art.status = 'stored' THEN 'stored' WHEN art.status IN ('waiting', 'running') THEN 'pending'"
    " ELSE 'failed' END"
)
_DETAILS = {
    "url": f"coalesce({_STORED_URL}, nullif(art.source_url, ''))",
    "sourceUrl": "nullif(art.source_url, '')",
    "source": "nullif(art.source_name, '')",
    "quality": "nullif(art.quality, '')",
    "uploadedAt": "CASE WHEN art.status = 'stored' THEN"
    " to_char(art.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') END",
    "contentType": "nullif(art.content_type, '')",
    "size": "art.size_bytes",
    "status": _STATUS,
    "variants": _VARIANTS,
    "width": "art.width_px",
    "height": "art.height_px",
    "dominantColor": "nullif(art.dominant_colour, '')",
    "blurhash": "nullif(art.blurhash, '')",
    "errorCode": "CASE WHEN art.status IN ('refused', 'absent', 'failed') THEN nullif(art.error_code, '') END",
    "error": "CASE WHEN art.status IN ('refused', 'absent', 'failed') THEN nullif(art.error_message, '') END",
}
_PAIRS = ", ".join(f"'{key}', {sql}" for key, sql in _DETAILS.items())

# Only songs have requests: for all other rows nothing is looked up.
WIRE_COLUMNS = {
    "albumArt": "to_json(CASE WHEN layer = 'G' THEN"
    f" coalesce((SELECT {_STORED_URL} {_CURRENT} AND art.status = 'stored'), album_art) ELSE album_art END)",
    "albumArtDetails": f"CASE WHEN layer = 'G' THEN (SELECT json_build_object({_PAIRS}) {_CURRENT}) END",
}
