"""Files named by what is in them: equal bytes have one name, so a name never gets other bytes."""

import hashlib
import logging

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage

from common.errors import Unavailable

log = logging.getLogger(__name__)

_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


def content_key(folder: str, content: bytes, content_type: str) -> str:
    """`folder/ab/abcd....jpg`, after the SHA-256 of the bytes."""
    digest = hashlib.sha256(content).hexdigest()
    return f"{folder}/{digest[:2]}/{digest}.{_EXTENSIONS[content_type]}"


def save_if_absent(key: str, content: bytes, *, content_type: str, storage: Storage = default_storage) -> bool:
    """Store `content` under exactly `key`; False if it lies there already. Raises Unavailable.

    What lies there with another length is what a crash left of an earlier write and is replaced.
    """
    try:
        if storage.exists(key):
            if storage.size(key) == len(content):
                return False
            log.warning("half-written file replaced", extra={"key": key})
            storage.delete(key)
        file = ContentFile(content)
        file.content_type = content_type  # type: ignore[attr-defined]  # what cloud storages label the object with
        saved_as = storage.save(key, file)
        if saved_as != key:  # somebody else stored the same bytes at the same moment
            storage.delete(saved_as)
            return False
    except FileExistsError:
        return False
    except Exception as error:  # every storage raises kinds of its own; the caller can only try later
        log.exception("file not stored", extra={"key": key})
        raise Unavailable("The file storage does not answer; it is tried again") from error
    return True
