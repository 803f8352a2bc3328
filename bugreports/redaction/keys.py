"""Names that announce a secret: of JSON members, headers, parameters, variables."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote

_SEPARATORS = re.compile(r"[-_\s$]")
_LAST_WORD = re.compile(r"(?i)[-_.\s](?:pass|pwd|pin|otp)$")  # `smtp_pass`, but not `compass`
_CONTAINS = (
    "authorization", "cookie", "password", "passwd", "passphrase", "secret", "token", "api key", "access key",
    "account key", "private key", "credential", "session id", "sessid", "csrf", "xsrf", "bearer", "jwt",
)  # fmt: skip
_EQUALS = (
    "auth", "pwd", "pass", "passcode", "sid", "otp", "pin", "ssn", "cvv", "cvc", "sig", "x amz signature",
    "x goog signature",
)  # fmt: skip
# They contain a word from above and hold nothing secret.
_SAFE = (
    "traceid", "xtraceid", "tokens", "tokentype", "tokencount", "maxtokens", "mintokens", "totaltokens", "inputtokens",
    "outputtokens", "prompttokens", "completiontokens", "tokensused", "tokenizer", "secretary", "cookieconsent",
    "passwordlength", "passwordstrength", "passwordpolicy", "tokenexpiresin", "tokenexpiresat", "tokenexpiry",
    "tokenurl", "tokenendpoint", "passwordreseturl",
)  # fmt: skip


def plain_name(name: str) -> str:
    """`X-Api_Key`, `apiKey` and `API KEY` are one name."""
    return _SEPARATORS.sub("", unquote(name) if "%" in name else name).lower()


@dataclass(frozen=True)
class KeyRules:
    """`extra` names are secret as well, `safe` ones never; both in any spelling."""

    extra: frozenset[str] = frozenset()
    safe: frozenset[str] = frozenset()
    _known: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    def is_secret(self, name: str) -> bool:
        known = self._known.get(name)
        if known is None:
            known = self._decide(name)
            if len(self._known) < 10_000:  # names come from outside: what is remembered of them is bounded
                self._known[name] = known
        return known

    def _decide(self, name: str) -> bool:
        plain = plain_name(name)
        last = re.split(r"[.\[]", plain)[-1].rstrip("]")  # `connect.sid`, `user[pin]`
        if {plain, last} & self._safe:
            return False
        return (
            any(word.replace(" ", "") in plain for word in _CONTAINS)
            or bool({plain, last} & self._equals)
            or _LAST_WORD.search(name) is not None
            or any(word in plain for word in self._extra)
        )

    @cached_property
    def _safe(self) -> frozenset[str]:
        return frozenset(_SAFE) | {plain_name(name) for name in self.safe}

    @cached_property
    def _extra(self) -> frozenset[str]:
        return frozenset(plain_name(name) for name in self.extra if plain_name(name))

    @cached_property
    def _equals(self) -> frozenset[str]:
        return frozenset(word.replace(" ", "") for word in _EQUALS)

    @cached_property
    def hint(self) -> re.Pattern[str]:
        """Found in every text that names a secret; a cheap look before the careful one."""
        words = [_loose(word) for word in (*_CONTAINS, *self.extra)]
        whole = [rf"(?<![a-z]){_loose(word)}(?![a-z])" for word in _EQUALS]
        return re.compile("|".join((*words, *whole, "%[0-9a-f]{2}")), re.IGNORECASE)


def _loose(word: str) -> str:
    """Its parts with anything that `plain_name` passes over between them."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", word)
    return r"[-_\s$]?".join(re.escape(part) for part in re.split(r"[-_\s$]+", parts) if part)
