"""Errors of artwork. `code` is stored with the request and stable; staff read the message."""

from common.errors import Conflict, InvalidInput, RegistryError, Unavailable


class ArtworkInfected(InvalidInput):
    """The virus scanner found malware."""

    code = "infected"


class ManualArtworkProtected(InvalidInput):
    """A run must not replace artwork that a user chose."""

    code = "manual_art_kept"


class QualityNotImproved(InvalidInput):
    """The current artwork has the same quality or a higher one."""

    code = "not_better"


class ArtworkNotRetryable(Conflict):
    """The state of the request does not allow a retry."""

    code = "artwork_not_open"


class ScannerError(Unavailable):
    """The scanner reported neither a clean file nor malware."""

    code = "scan_failed"


class ClaimLost(RegistryError):
    """The lease of this worker expired and another worker claimed the request. This worker must not write."""

    code = "claim_lost"


class Deferred(RegistryError):
    """The request must be tried again after `seconds`. The attempt is not counted."""

    code = "must_wait"

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds
