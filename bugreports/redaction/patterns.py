"""Patterns of secrets that are recognizable without a name."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass

REDACTED = "[REDACTED]"
MASKED_EMAIL = "[EMAIL]"

Replacement = Callable[[re.Match[str]], str | None]


@dataclass(frozen=True)
class Pattern:
    """`regex` runs only on texts with one of the lower-case `triggers`. `replace` returns None to keep a match."""

    rule: str
    triggers: tuple[str, ...]
    regex: re.Pattern[str]
    replace: Replacement


def _whole(match: re.Match[str]) -> str:
    return REDACTED


def _after_first_group(match: re.Match[str]) -> str:
    return match[1] + REDACTED


def _basic(match: re.Match[str]) -> str | None:
    """Redact only base64 of `name:password`, because "basic" is also an English word."""
    text = match[2]
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return match[1] + REDACTED if ":" in decoded and decoded.isprintable() else None


def _card(match: re.Match[str]) -> str | None:
    digits = re.sub(r"\D", "", match[0])
    return REDACTED if _has_card_form(digits) and _passes_luhn(digits) else None


def _has_card_form(digits: str) -> bool:
    length = len(digits)
    if digits[0] == "4":
        return length in (13, 16, 19)
    two, three, four = int(digits[:2]), int(digits[:3]), int(digits[:4])
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return length == 16
    if two in (34, 37):
        return length == 15
    if two in (36, 38) or 300 <= three <= 305:
        return length == 14
    return length == 16 and (four == 6011 or 644 <= three <= 659 or 3528 <= four <= 3589 or two in (62, 50))


def _passes_luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits))]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def _email(match: re.Match[str]) -> str | None:
    is_file_name = re.fullmatch(r"(?i).*\.(?:png|jpe?g|gif|svg|webp|avif|m?js|css|tsx?|json|map|html?)", match[0])
    return None if is_file_name or match[0].lower().startswith("git@") else MASKED_EMAIL


def _rx(text: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(text, flags)


PEM = Pattern(
    "private_key", ("-----begin",),
    _rx(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)", re.DOTALL),
    _whole,
)  # fmt: skip
USER_INFO = Pattern(
    "url_user", ("://", ":\\/\\/"),
    _rx(r"(?i)([a-z][a-z0-9+.-]{0,30}:(?://|\\/\\/))[^\s/?#@\"'<>]{0,200}:[^\s/\"'<>]{0,300}@(?=[\w\[.%-])"),
    lambda match: match[1],
)  # fmt: skip
_CLOUD_KEYS = (
    r"(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ANVA|ABIA|ACCA)[A-Z0-9]{16}",
    r"AIza[0-9A-Za-z_-]{35}", r"ya29\.[0-9A-Za-z_-]{10,}", r"GOCSPX-[0-9A-Za-z_-]{20,}",
    r"gh[pousr]_[0-9A-Za-z]{30,255}", r"github_pat_[0-9A-Za-z_]{22,255}", r"gl(?:pat|dt|rt|oas)-[0-9A-Za-z_-]{20,}",
    r"xox[abeoprs]-[0-9A-Za-z-]{10,}", r"xapp-\d-[0-9A-Za-z-]{10,}",
    r"[srp]k_(?:live|test)_[0-9A-Za-z]{10,}", r"whsec_[0-9A-Za-z+/=]{16,}", r"sq0(?:atp|csp)-[0-9A-Za-z_-]{20,}",
    r"SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}", r"key-[0-9a-f]{32}", r"SK[0-9a-f]{32}",
    r"npm_[0-9A-Za-z]{36}", r"pypi-AgE[0-9A-Za-z_-]{20,}", r"dckr_pat_[0-9A-Za-z_-]{20,}", r"hf_[0-9A-Za-z]{30,}",
    r"sk-(?:proj-|ant-|svcacct-|or-)?[0-9A-Za-z_-]{20,}",
    r"do[opr]_v1_[0-9a-f]{40,}", r"shp(?:at|ca|pa|ss)_[0-9a-f]{32}",
    r"hv[sb]\.[0-9A-Za-z_-]{20,}", r"AGE-SECRET-KEY-1[0-9A-Z]{50,}", r"nna_[0-9A-Za-z_-]{40,}",
    r"\d{8,10}:AA[0-9A-Za-z_-]{32,34}", r"lin_api_[0-9A-Za-z]{30,}", r"EAAC[0-9A-Za-z]{30,}",
)  # fmt: skip
_CLOUD_TRIGGERS = (
    "akia", "asia", "agpa", "aida", "aroa", "anpa", "anva", "abia", "acca", "aiza", "ya29.", "gocspx-", "ghp_", "gho_",
    "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "glrt-", "gloas-", "xox", "xapp-", "k_live_", "k_test_",
    "whsec_", "sq0", "sg.", "key-", "sk", "npm_", "pypi-age", "dckr_pat_", "hf_", "oo_v1_", "dop_v1_", "dor_v1_",
    "doo_v1_", "shp", "hvs.", "hvb.", "age-secret", "nna_", ":aa", "lin_api_", "eaac",
)  # fmt: skip
PATTERNS: tuple[Pattern, ...] = (
    Pattern(
        "bearer", ("bearer",),
        # A digit, a long word or punctuation distinguishes a token from the next word of a sentence.
        _rx(r"(?i)(\bbearer\s{1,3})(?=[^\s]{0,40}?[0-9_~+/=-][^\s]|[^\s\"',;]{20}|[^\s.]{3,80}\.[^\s.])"
            r"[A-Za-z0-9._~+/%-]{6,}=*"),
        _after_first_group,
    ),
    Pattern("basic", ("basic",), _rx(r"(?i)(\bbasic\s{1,3})([A-Za-z0-9+/]{6,}={0,2})"), _basic),
    Pattern(
        "authorization", ("authorization",),
        _rx(r"(?i)(\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:token|digest|apikey|api-key|key|negotiate|ntlm|hawk"
            r"|aws4-hmac-sha256)\s{1,3})(?!\[REDACTED\])[^\s\"'][^\r\n\"']{3,}"),
        _after_first_group,
    ),
    Pattern("jwt", ("eyj",), _rx(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*"), _whole),
    Pattern(
        "slack_hook", ("hooks.slack.com",),
        _rx(r"(hooks\.slack\.com/(?:services|workflows)/)[A-Za-z0-9/_-]{10,}"), _after_first_group,
    ),
    Pattern(
        "cloud_key", _CLOUD_TRIGGERS, _rx(rf"(?<![A-Za-z0-9_-])(?:{'|'.join(_CLOUD_KEYS)})(?![A-Za-z0-9])"), _whole
    ),
    Pattern("card", tuple("0123456789"), _rx(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)"), _card),
    Pattern(
        "ssn", ("-",), _rx(r"(?<![\w.-])(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\w-]|\.\d)"), _whole
    ),
)  # fmt: skip
EMAIL = Pattern(
    "email", ("@", "%40"),
    _rx(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,128}(?:@|%40)(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])"),
    _email,
)  # fmt: skip
