"""What clients read of an asset's picture, as SQL that completes the asset's JSON. `%s` is where files are public.

The functions stand in migration 0003. Only songs have requests: for all other rows nothing is looked up.
"""

API_COLUMNS = {
    "albumArt": "to_json(CASE WHEN layer = 'G' THEN coalesce(albumart_stored_url(assets_asset.id, %s), album_art)"
    " ELSE album_art END)",
    "albumArtDetails": "CASE WHEN layer = 'G' THEN albumart_details_json(assets_asset.id, %s) END",
}
