"""How a request to another host can end badly. Codes are stable; messages hold no path and no query of the address."""

from common.errors import Invalid, Missing, Unavailable


class AddressRefused(Invalid):
    """An address we never ask: scheme, port, host, or where it leads.

    Codes: url_malformed, scheme_refused, port_refused, host_not_allowed, blocked_address, redirect_refused,
    too_many_redirects.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class ResponseRefused(Invalid):
    """An answer we do not take. Codes: too_large, encoded_body, unexpected_status."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class SourceAbsent(Missing):
    """The host said that there is nothing: 404 or 410."""

    code = "source_absent"


class SourceThrottled(Unavailable):
    """The host wants to be asked more slowly; `retry_after_seconds` if it said how long to wait."""

    code = "source_throttled"

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SourceUnavailable(Unavailable):
    """The host did not answer as it should.

    Codes: dns_failed, connect_failed, tls_failed, timeout, too_slow, connection_broken, server_error.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
