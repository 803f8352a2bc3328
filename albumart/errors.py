"""What can go wrong with a picture. `code` is kept on the row and stable; the message is the sentence staff read."""

from common.errors import Conflict, InvalidInput, RegistryError, Unavailable


class ArtworkInfected(InvalidInput):
    """The scanner knows the file as malware."""

    code = "infected"


class ManualArtKept(InvalidInput):
    """Automation never replaces what a person chose."""

    code = "manual_art_kept"


class NotBetter(InvalidInput):
    """The rule finds the picture that is there already as good."""

    code = "not_better"


class ArtworkNotOpen(Conflict):
    """The request is in a state that does not allow this."""

    code = "artwork_not_open"


class ScannerConfused(Unavailable):
    """The scanner answered, but with neither "clean" nor a finding."""

    code = "scan_failed"


class ClaimLost(RegistryError):
    """Another worker took the row over, because this one was thought dead: its result counts, not ours."""

    code = "claim_lost"


class MustWait(RegistryError):
    """Nothing is wrong, it is only not this request's turn; no attempt is counted."""

    code = "must_wait"

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds
