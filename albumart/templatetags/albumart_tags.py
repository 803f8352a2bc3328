"""Template filters of artwork."""

from django import template

from albumart.models import Artwork
from assets.media_storage import public_url

register = template.Library()


@register.filter
def artwork_url(artwork: Artwork, name: str) -> str:
    """Return the URL of the file `name` ("150", "500", "original"); "" if it does not exist."""
    return next((public_url(file.key) for file in artwork.files.all() if file.name == name), "")
