"""Previews of media and links to components. Only stored files are shown: an external host may be slow or down."""

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from assets.media_storage import public_url
from assets.models import Asset

_ICONS = {"G": "music_note", "S": "star", "L": "checkroom", "M": "directions_run", "W": "public", "B": "sell",
          "P": "face", "T": "model_training", "C": "movie", "R": "gavel"}  # fmt: skip
_MAX_LINKS = 25


def media_url(asset: Asset) -> str:
    return public_url(asset.media_key) if asset.media_key else asset.media_url


def thumbnail(asset: Asset) -> SafeString:
    """Return an image tag for an image, or else the icon of the layer. The file is not read."""
    if asset.media_key and asset.mime_type.startswith("image/"):
        return format_html(
            '<img src="{}" alt="" loading="lazy" width="40" height="40"'
            ' style="width:40px;height:40px;object-fit:cover;border-radius:6px">',
            media_url(asset),
        )
    return format_html(
        '<span class="material-symbols-outlined" role="img" aria-label="layer {}">{}</span>',
        asset.layer,
        _ICONS[asset.layer],
    )


def player(asset: Asset) -> SafeString:
    url = media_url(asset)
    media_kind = asset.mime_type.partition("/")[0] if asset.media_key else ""
    if media_kind == "image":
        body = format_html(
            '<img src="{}" alt="{}" style="max-width:360px;max-height:360px;border-radius:8px">', url, asset.name
        )
    elif media_kind == "audio":
        body = format_html('<audio controls preload="metadata" src="{}" style="width:360px"></audio>', url)
    elif media_kind == "video":
        body = format_html(
            '<video controls preload="metadata" src="{}" style="max-width:360px;border-radius:8px"></video>', url
        )
    else:
        body = format_html("<span>No preview: the file is not in the storage.</span>")
    return format_html(
        '{}<br><a href="{}" target="_blank" rel="noreferrer" class="text-primary-600 underline">{}</a>', body, url, url
    )


def links_to(assets: list[Asset], *, more: int = 0) -> SafeString:
    if not assets:
        return format_html("{}", "none")
    links = format_html_join(
        "",
        '<li><a class="text-primary-600 underline" href="{}">{}</a> {}</li>',
        (
            (reverse("admin:assets_asset_change", args=[a.pk]), a.name, "(deleted)" if a.is_deleted else "")
            for a in assets
        ),
    )
    return format_html("<ul>{}</ul>{}", links, f"and {more} more" if more > 0 else "")


def component_links(asset: Asset) -> SafeString:
    """Link the components in their order, and list the addresses that are not in the registry."""
    found = {row.nna_address: row for row in Asset.objects.filter(nna_address__in=asset.components)}
    missing = [address for address in asset.components if address not in found]
    known = links_to([found[address] for address in asset.components if address in found])
    return format_html("{}{}", known, f" not in the registry: {', '.join(missing)}" if missing else "")


def composite_links(asset: Asset) -> SafeString:
    composites = list(Asset.objects.live().filter(components__contains=[asset.nna_address])[: _MAX_LINKS + 1])
    return links_to(composites[:_MAX_LINKS], more=len(composites) - _MAX_LINKS)
