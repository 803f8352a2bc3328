"""Files named by the hash of their bytes. The content of a name never changes."""

import hashlib
import logging

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage

from common.errors import Unavailable

log = logging.getLogger(__name__)

_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


def content_key(folder: str, content: bytes, content_type: str) -> str:
    """Return `folder/ab/abcd....jpg`, from the SHA-256 of the bytes."""
    digest = hashlib.sha256(content).hexdigest()
    return f"{folder}/{digest[:2]}/{digest}.{_EXTENSIONS[content_type]}"


def save_if_absent(key: str, content: bytes, *, content_type: str, storage: Storage = default_storage) -> bool:
    """Store `content` as `key`. Return False if the file exists. Raises Unavailable.

    A file of another length is the rest of an interrupted write and is replaced.
    """
    try:
        if storage.exists(key):
            if storage.size(key) == len(content):
                return False
            log.warning("half-written file replaced", extra={"key": key})
            storage.delete(key)
        file = ContentFile(content)
        file.content_type = content_type  # type: ignore[attr-defined]  # the content type of the object in a cloud storage
        saved_as = storage.save(key, file)
        if saved_as != key:  # another process stored the same bytes at the same time
            storage.delete(saved_as)
            return False
    except FileExistsError:
        return False
    except Exception as error:  # storages raise different exceptions; the caller can only retry
        log.exception("file not stored", extra={"key": key})
        raise Unavailable("The file storage does not answer; it is tried again") from error
    return True
