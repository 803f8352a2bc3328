"""Google Cloud Storage as we use it: an object is written once and never gets other bytes."""

from typing import Any

from google.api_core.exceptions import PreconditionFailed
from google.cloud.storage.retry import DEFAULT_RETRY
from storages.backends.gcloud import GoogleCloudStorage

_TIMEOUT_SECONDS = 15  # for one request ...
_DEADLINE_SECONDS = 20  # ... and for all tries together: no worker is held longer by a storage that is away


class WriteOnceCloudStorage(GoogleCloudStorage):
    """Uploads only where nothing lies yet. By that condition (generation 0) an upload whose answer was lost can be
    tried again safely; without it a retry could overwrite what somebody else stored meanwhile."""

    def _save(self, name: str, content: Any) -> str:
        """Raises FileExistsError when an object of that name is there."""
        key = self._normalize_name(name)
        blob = self.bucket.blob(key)
        for parameter, value in self.get_object_parameters(key).items():
            setattr(blob, parameter, value)
        try:
            blob.upload_from_file(
                content,
                rewind=True,
                size=getattr(content, "size", None),
                content_type=getattr(content, "content_type", None),
                if_generation_match=0,
                retry=DEFAULT_RETRY.with_timeout(_DEADLINE_SECONDS),
                timeout=_TIMEOUT_SECONDS,
                predefined_acl=self.default_acl,
            )
        except PreconditionFailed as error:
            raise FileExistsError(name) from error
        return name
