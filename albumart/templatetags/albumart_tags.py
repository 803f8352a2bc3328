"""Addresses of stored pictures in templates."""

from django import template

from albumart.models import Artwork
from assets.media_storage import public_url

register = template.Library()


@register.filter
def picture_url(artwork: Artwork, name: str) -> str:
    """Where the file `name` ("150", "500", "original") of the picture is; "" if there is none."""
    return next((public_url(file.key) for file in artwork.files.all() if file.name == name), "")
