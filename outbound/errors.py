"""Errors of requests to other hosts. Messages contain hosts, but no paths or queries, which may contain secrets."""

from common.errors import InvalidInput, NotFound, RegistryError, Unavailable


class _OutboundError(RegistryError):
    """Base class. The class decides how callers react; `code` is a stable detail."""

    def __init__(self, message: str, code: str | None = None, *, host: str = "") -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.host = host


class UrlNotAllowed(_OutboundError, InvalidInput):
    """The URL must not be requested. A retry fails again.

    Codes: url_malformed, url_unreadable, url_characters, scheme_refused, port_refused, host_not_allowed,
    blocked_address, redirect_refused, too_many_redirects.
    """

    code = "address_refused"


class ResponseRejected(_OutboundError, InvalidInput):
    """The response is not acceptable. Codes: too_large, encoded_body, unexpected_status."""

    code = "response_refused"


class RemoteNotFound(_OutboundError, NotFound):
    """The host responded with 404 or 410. Only this error means that the resource does not exist."""

    code = "source_absent"


class RemoteRateLimited(_OutboundError, Unavailable):
    """The host limits the rate. The caller must limit `retry_after_seconds`, which the host chose."""

    code = "source_throttled"

    def __init__(
        self, message: str, code: str | None = None, *, host: str = "", retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(message, code, host=host)
        self.retry_after_seconds = retry_after_seconds


class RemoteUnavailable(_OutboundError, Unavailable):
    """The request failed without a usable response. A retry may succeed.

    Codes: dns_failed, connect_failed, tls_failed, timeout, too_slow, connection_broken, server_error.
    """

    code = "source_unavailable"
