"""What can go wrong with a picture. `code` is kept on the row and stable; the message is the sentence staff read."""

from common.errors import Conflict, InvalidInput, RegistryError, Unavailable


class ArtworkInfected(InvalidInput):
    """The scanner knows the file as malware."""

    code = "infected"


class ManualArtworkProtected(InvalidInput):
    """Automation never replaces what a person chose."""

    code = "manual_art_kept"


class QualityNotImproved(InvalidInput):
    """The rule finds the picture that is there already as good."""

    code = "not_better"


class ArtworkNotRetryable(Conflict):
    """The request is in a state that does not allow this."""

    code = "artwork_not_open"


class ScannerError(Unavailable):
    """The scanner answered, but with neither "clean" nor a finding."""

    code = "scan_failed"


class ClaimLost(RegistryError):
    """Another worker took the row over, because this one was thought dead: its result counts, not ours."""

    code = "claim_lost"


class Deferred(RegistryError):
    """Nothing is wrong, it is only not this request's turn; no attempt is counted."""

    code = "must_wait"

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds
