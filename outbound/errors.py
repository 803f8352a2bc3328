"""What can go wrong with another host. Messages name hosts, never paths or query strings: those may hold secrets."""

from common.errors import InvalidInput, NotFound, RegistryError, Unavailable


class _OutboundError(RegistryError):
    """One class says what a caller does about it; `code` says in which of its forms, and is stable."""

    def __init__(self, message: str, code: str | None = None, *, host: str = "") -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.host = host


class UrlNotAllowed(_OutboundError, InvalidInput):
    """An address we never talk to. Retrying is pointless, and whoever gave it may have meant harm.

    Codes: url_malformed, url_unreadable, url_characters, scheme_refused, port_refused, host_not_allowed,
    blocked_address, redirect_refused, too_many_redirects.
    """

    code = "address_refused"


class ResponseRejected(_OutboundError, InvalidInput):
    """The answer came and is not one we take. Codes: too_large, encoded_body, unexpected_status."""

    code = "response_refused"


class RemoteNotFound(_OutboundError, NotFound):
    """The source itself says that it has no such thing; the only fault that tells of an absence."""

    code = "source_absent"


class RemoteRateLimited(_OutboundError, Unavailable):
    """The source asks us to slow down; `retry_after_seconds` is its own wish, which the caller bounds."""

    code = "source_throttled"

    def __init__(
        self, message: str, code: str | None = None, *, host: str = "", retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(message, code, host=host)
        self.retry_after_seconds = retry_after_seconds


class RemoteUnavailable(_OutboundError, Unavailable):
    """Nothing is known about the thing asked for: a later try may find it.

    Codes: dns_failed, connect_failed, tls_failed, timeout, too_slow, connection_broken, server_error.
    """

    code = "source_unavailable"
