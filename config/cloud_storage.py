"""Google Cloud Storage backend that writes an object once and never overwrites it."""

from typing import Any

from google.api_core.exceptions import PreconditionFailed
from google.cloud.storage.retry import DEFAULT_RETRY
from storages.backends.gcloud import GoogleCloudStorage

_TIMEOUT_SECONDS = 15  # per request
_DEADLINE_SECONDS = 20  # for all retries together, so that an outage does not block a worker longer


class WriteOnceCloudStorage(GoogleCloudStorage):
    """Upload only if the object does not exist (generation 0).

    With this condition an upload whose response was lost can be retried; without it a retry could overwrite an object
    that another process stored meanwhile.
    """

    def _save(self, name: str, content: Any) -> str:
        """Raises FileExistsError if the object exists."""
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
