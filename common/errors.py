"""What can go wrong, in four kinds. Apps subclass a kind; doors translate kinds once."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldErrorDetail:
    """One thing wrong with an input: the field as its sender spells it, and a sentence for a person."""

    field: str
    message: str


class RegistryError(Exception):
    """Root of everything the registry refuses. `code` is stable: clients match on it."""

    code = "error"

    def __init__(
        self, message: str, *, field: str | None = None, field_errors: Sequence[FieldErrorDetail] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field_errors: tuple[FieldErrorDetail, ...] = tuple(field_errors) or (
            (FieldErrorDetail(field, message),) if field else ()
        )


class InvalidInput(RegistryError):
    """The wish itself is wrong; the same wish will fail again."""

    code = "invalid"


class PayloadTooLarge(InvalidInput):
    """More bytes than we take."""

    code = "too_large"


class UnsupportedMediaType(InvalidInput):
    """Bytes of a kind we do not take here."""

    code = "unsupported_media"


class NotFound(RegistryError):
    """What was asked for is not there."""

    code = "missing"


class Conflict(RegistryError):
    """The wish is fine, but the state of the data forbids it now."""

    code = "conflict"


class Unavailable(RegistryError):
    """Something we depend on does not answer; trying later may help."""

    code = "unavailable"
