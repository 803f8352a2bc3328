"""The bytes of assets, through Django's storage: a folder or a Google Cloud Storage bucket."""

import logging
from urllib.parse import quote

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from common.errors import Unavailable

log = logging.getLogger(__name__)


def save_media(*, key: str, content: File, mime_type: str) -> None:
    """Store `content` under exactly `key`. Raises Unavailable when the storage does not take it."""
    content.content_type = mime_type  # type: ignore[attr-defined]  # what cloud storages label the object with
    try:
        saved_as = default_storage.save(key, content)
    except Exception as error:  # every storage raises kinds of its own; the caller can only try later
        log.exception("media not stored", extra={"key": key})
        raise Unavailable("The file storage does not answer; try again", field="file") from error
    if saved_as != key:  # something lay there already: never serve one asset's bytes as another's
        default_storage.delete(saved_as)
        log.error("media key already taken", extra={"key": key})
        raise Unavailable("The file could not be stored under its name; try again", field="file")


def delete_media(key: str) -> None:
    """Remove an object; one that is not there is fine."""
    default_storage.delete(key)


def public_url(key: str) -> str:
    """Where clients fetch `key`: absolute, the colons of composite names as they are."""
    return settings.MEDIA_PUBLIC_URL + quote(key, safe="/:+~!*'()")
