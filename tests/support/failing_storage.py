"""A storage backend whose disk is full."""

from typing import Any

from django.core.files.storage import InMemoryStorage


class FailingStorage(InMemoryStorage):
    """Read a third of each file and fail."""

    def _save(self, name: str, content: Any) -> str:
        content.read(max(content.size // 3, 1))
        raise OSError("disk full")


FAILING = {"BACKEND": f"{__name__}.FailingStorage"}
