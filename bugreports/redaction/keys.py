"""Names of secrets: JSON members, headers, parameters and variables."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote

_SEPARATORS = re.compile(r"[-_\s$]")
_LAST_WORD = re.compile(r"(?i)[-_.\s](?:pass|pwd|pin|otp)$")  # `smtp_pass`, but not `compass`
CONTAINED_NAMES = (
    "authorization", "cookie", "password", "passwd", "passphrase", "secret", "token", "api key", "access key",
    "account key", "private key", "credential", "session id", "sessid", "csrf", "xsrf", "bearer", "jwt",
)  # fmt: skip
EQUAL_NAMES = (
    "auth", "pwd", "pass", "passcode", "sid", "otp", "pin", "ssn", "cvv", "cvc", "sig", "x amz signature",
    "x goog signature",
)  # fmt: skip
# These contain a name from above but are not secret.
SAFE_NAMES = (
    "traceid", "xtraceid", "tokens", "tokentype", "tokencount", "maxtokens", "mintokens", "totaltokens", "inputtokens",
    "outputtokens", "prompttokens", "completiontokens", "tokensused", "tokenizer", "secretary", "cookieconsent",
    "passwordlength", "passwordstrength", "passwordpolicy", "tokenexpiresin", "tokenexpiresat", "tokenexpiry",
    "tokenurl", "tokenendpoint", "passwordreseturl",
)  # fmt: skip

_SHORT = tuple(word.replace(" ", "") for word in EQUAL_NAMES)
_SHORT_WORDS = re.compile(f"(?<![a-z])(?:{'|'.join(word.replace(' ', '[-_ ]?') for word in EQUAL_NAMES)})(?![a-z])")
_ENCODED = re.compile("%[0-9a-f]{2}")
_SQUEEZE = {ord(letter): None for letter in "-_ $\t\n"}


def plain_name(name: str) -> str:
    """Normalize a name: `X-Api_Key`, `apiKey` and `API KEY` are equal."""
    return _SEPARATORS.sub("", unquote(name) if "%" in name else name).lower()


@dataclass(frozen=True)
class SecretKeyRules:
    """Decide which names are secret. `extra` adds names, `safe` excludes names; both match in any spelling."""

    extra: frozenset[str] = frozenset()
    safe: frozenset[str] = frozenset()
    _known: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    def is_secret(self, name: str) -> bool:
        known = self._known.get(name)
        if known is None:
            known = self._decide(name)
            if len(self._known) < 10_000:  # bounded, because clients choose the names
                self._known[name] = known
        return known

    def _decide(self, name: str) -> bool:
        plain = plain_name(name)
        last = re.split(r"[.\[]", plain)[-1].rstrip("]")  # `connect.sid`, `user[pin]`
        if {plain, last} & self._safe:
            return False
        return (
            any(word in plain for word in self._contained)
            or bool({plain, last} & self._equals)
            or _LAST_WORD.search(name) is not None
        )

    @cached_property
    def _safe(self) -> frozenset[str]:
        return frozenset(SAFE_NAMES) | {plain_name(name) for name in self.safe}

    @cached_property
    def _extra(self) -> frozenset[str]:
        return frozenset(plain_name(name) for name in self.extra if plain_name(name))

    @cached_property
    def _equals(self) -> frozenset[str]:
        return frozenset(word.replace(" ", "") for word in EQUAL_NAMES)

    def may_name_secret(self, lower: str) -> bool:
        """Return False if a lower-case text contains no secret name. A cheap check before the regular expressions."""
        squeezed = lower.translate(_SQUEEZE)
        for word in self._contained:  # a plain loop for speed: this runs for each string of a report
            if word in squeezed:
                return True
        if "%" in lower and _ENCODED.search(lower):
            return True
        return any(word in squeezed for word in _SHORT) and _SHORT_WORDS.search(lower) is not None

    @cached_property
    def _contained(self) -> tuple[str, ...]:
        return (*(word.replace(" ", "") for word in CONTAINED_NAMES), *self._extra)
