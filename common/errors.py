"""Error kinds. Apps subclass a kind; each entry point maps kinds once, to a status, a message or a CommandError."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class FieldErrorDetail:
    """An input error: the field name as sent by the client, and a message for users."""

    field: str
    message: str


class RegistryError(Exception):
    """Base of all expected errors. `code` is stable: clients match on it."""

    code = "error"

    def __init__(
        self, message: str, *, field: str | None = None, field_errors: Sequence[FieldErrorDetail] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field_errors: tuple[FieldErrorDetail, ...] = tuple(field_errors) or (
            (FieldErrorDetail(field, message),) if field else ()
        )

    def with_prefix(self, prefix: str) -> Self:
        """Return a copy whose message and field names start with `prefix`, for example a row of a batch."""
        error = copy(self)
        error.message = f"{prefix}: {self.message}"
        error.args = (error.message,)
        error.field_errors = tuple(
            FieldErrorDetail(f"{prefix}.{detail.field}", detail.message) for detail in self.field_errors
        ) or (FieldErrorDetail(prefix, ""),)
        return error


class InvalidInput(RegistryError):
    """The request is invalid; repeating it fails again."""

    code = "invalid"


class PayloadTooLarge(InvalidInput):
    """The body exceeds a size limit."""

    code = "too_large"


class UnsupportedMediaType(InvalidInput):
    """The content type is not accepted."""

    code = "unsupported_media"


class Forbidden(RegistryError):
    """The caller has no permission for this change."""

    code = "forbidden"


class NotFound(RegistryError):
    """The resource does not exist."""

    code = "missing"


class Conflict(RegistryError):
    """The request is valid, but conflicts with the current state."""

    code = "conflict"


class Unavailable(RegistryError):
    """A dependency does not respond; a later attempt may succeed."""

    code = "unavailable"
