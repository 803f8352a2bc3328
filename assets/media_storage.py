"""Store the files of assets in Django's storage: a folder or a Google Cloud Storage bucket."""

import logging
from urllib.parse import quote

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from common.errors import Unavailable

log = logging.getLogger(__name__)


def save_media(*, key: str, content: File, mime_type: str) -> None:
    """Store `content` under exactly `key`. Raises Unavailable if the storage fails or the key is taken."""
    content.content_type = mime_type  # type: ignore[attr-defined]  # cloud storages use it as Content-Type
    try:
        saved_as = default_storage.save(key, content)
    except Exception as error:  # each storage raises its own classes; the caller can only retry
        log.exception("media not stored", extra={"key": key})
        raise Unavailable("The file storage does not answer; try again", field="file") from error
    if saved_as != key:  # the key is taken: do not serve the bytes of another asset
        default_storage.delete(saved_as)
        log.error("media key already taken", extra={"key": key})
        raise Unavailable("The file could not be stored under its name; try again", field="file")


def delete_media(key: str) -> None:
    """Delete the file if it exists."""
    default_storage.delete(key)


def public_url(key: str) -> str:
    """Return the absolute URL of a file. The colons of composite names are not escaped."""
    return settings.MEDIA_PUBLIC_URL + quote(key, safe="/:+~!*'()")
