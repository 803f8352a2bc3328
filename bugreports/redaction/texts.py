"""Redact one string: values after secret names, and values in the format of a secret."""

import re
from collections.abc import Callable

from bugreports.redaction.keys import SecretKeyRules, plain_name
from bugreports.redaction.patterns import EMAIL, PATTERNS, PEM, REDACTED, USER_INFO, Pattern

OnRedaction = Callable[[str], None]  # called with the rule of each replacement

_MAX_ROUNDS = 6
# key, separator, and a value: quoted, quoted with escapes (inside a JSON string), or bare.
_ASSIGNMENT = re.compile(
    r"""(?<![\w.$%])(?P<key>[A-Za-z_$][\w.$%\[\]-]{0,200}|(?i:(?:api|access|private|session|account)\ (?:key|id)))
        (?P<between>\\{0,3}["'`]?\s{0,3}(?:=>|:=|(?<![=!<>])=(?![=>])|:(?![:/]))\s{0,3})
        (?P<value>
          (?P<open>\\{0,3}["'`])(?P<quoted>.*?)(?:(?<!\\)(?P=open)|\Z)
          | (?P<bare>[^\s"'`&;,<>(){}\[\]|\\]+)
        )""",
    re.VERBOSE | re.DOTALL,
)
_COOKIES = re.compile(
    r"(?i)(\b(?:set-)?cookie[\"']?\s{0,3}:\s{0,3}[\"']?)(?!\[REDACTED\])([\w.$%!#*+^~|-]{1,100}=[^\"'\r\n]*)"
)
_OPTION = re.compile(
    r"(?<![\w-])(--?(?P<key>[A-Za-z][\w-]{1,60})\s{1,3}[\"']?)(?P<value>(?!-|\[REDACTED\])[^\s\"']{3,})"
)
_SENTENCE = re.compile(
    r"(?i)(\b(?:password|passwort|passwd|passcode|passphrase|pwd|pin|otp|api key|token|secret)\s{1,2}"
    r"(?:is|was|ist|to|as)\s{1,2}[\"']?)(?P<value>[^\s\"',;]{4,})"
)
_PASSWORDS = re.compile(r"(?:password|passwd|passphrase|passcode|pwd|^pass)$")
_NUMBERS = frozenset({"pin", "otp", "ssn", "cvv", "cvc"})
# Words that follow a secret name in prose or code and are not secrets.
_COMMON_WORDS = """
    null none nil undefined true false yes no ok required optional missing invalid expired empty blank wrong
    incorrect forgotten changed reset updated unset set not is was must should cannot can are the a an this that
    and or to for from in of on at by with your my our its it failed failure error denied rejected refused
    accepted valid string str number integer int boolean bool object array any void unknown never text varchar
    char bytes password token secret cookie cookies field value label input type hidden visible show hide help
    here there disabled enabled protected deleted removed created found rotated revoked refreshed refresh stored
    saved loaded sent received provided supplied absent present same new old current default example todo
    redacted unauthorized forbidden policy length strength mismatch header headers parameter manager service
    endpoint url page form dialog screen button bearer basic digest negotiate authorization masked hashed
    encrypted process env
"""
_WORDS = frozenset(_COMMON_WORDS.split())


def scrub_text(text: str, rules: SecretKeyRules, on_redaction: OnRedaction, *, masks_emails: bool = True) -> str:
    """Return `text` without secrets. Calls `on_redaction` for each replacement."""
    for _ in range(_MAX_ROUNDS):  # a replacement can uncover a further match; usually one round suffices
        scrubbed = _one_round(text, rules, on_redaction, masks_emails=masks_emails)
        if scrubbed == text:
            return text
        text = scrubbed
    return REDACTED


def _one_round(text: str, rules: SecretKeyRules, on_redaction: OnRedaction, *, masks_emails: bool) -> str:
    if len(text) < 4:
        return text
    lower = text.lower()
    text = _apply(PEM, text, lower, on_redaction)
    text = _apply(USER_INFO, text, lower, on_redaction)
    if rules.may_name_secret(lower):
        text = _replace(_COOKIES, text, on_redaction, "key", lambda match: match[1] + REDACTED)
        text = _replace(_ASSIGNMENT, text, on_redaction, "key", lambda match: _assigned(match, rules))
        text = _replace(_OPTION, text, on_redaction, "key", lambda match: _option(match, rules))
        text = _replace(_SENTENCE, text, on_redaction, "key", _sentence_value)
    for pattern in PATTERNS:
        text = _apply(pattern, text, lower, on_redaction)
    return _apply(EMAIL, text, lower, on_redaction) if masks_emails else text


def _apply(pattern: Pattern, text: str, lower: str, on_redaction: OnRedaction) -> str:
    for trigger in pattern.triggers:  # a plain loop for speed: this runs for each string of a report
        if trigger in lower:
            return _replace(pattern.regex, text, on_redaction, pattern.rule, pattern.replace)
    return text


def _replace(
    regex: re.Pattern[str],
    text: str,
    on_redaction: OnRedaction,
    rule: str,
    replacement: Callable[[re.Match[str]], str | None],
) -> str:
    def replace(match: re.Match[str]) -> str:
        new = replacement(match)
        if new is None or new == match[0]:
            return match[0]
        on_redaction(rule)
        return new

    return regex.sub(replace, text)


def _assigned(match: re.Match[str], rules: SecretKeyRules) -> str | None:
    key, between = match["key"], match["between"]
    if not rules.is_secret(key):
        return _assigned_inside(match, rules)
    value = match["bare"] if match["quoted"] is None else match["quoted"]
    if not value or "REDACTED" in value:
        return None
    is_data = between.startswith(('"', "'", "`", "\\"))  # the name is quoted, as in JSON
    if match["quoted"] is not None:
        max_words = 2 if _PASSWORDS.search(plain_name(key)) else 1
        is_sentence = value.lower() in _WORDS or (len(value.split()) > max_words and not _is_token(value))
        return None if is_sentence and not is_data and ":" in between else _quoted(match)
    is_prose = ":" in between and "=" not in between and not is_data
    if not _looks_secret(key, value, is_prose=is_prose):
        return None
    return f"{key}{between}{REDACTED}"


def _assigned_inside(match: re.Match[str], rules: SecretKeyRules) -> str | None:
    """Redact pairs inside the value of a harmless key: `body: "password=..."`."""
    if match["quoted"] is None or not rules.may_name_secret(match["quoted"].lower()):
        return None
    inner = _ASSIGNMENT.sub(lambda part: _assigned(part, rules) or part[0], match["quoted"])
    if inner == match["quoted"]:
        return None
    start, end = (match.start("quoted") - match.start(), match.end("quoted") - match.start())
    return match[0][:start] + inner + match[0][end:]


def _quoted(match: re.Match[str]) -> str:
    start, end = (match.start("quoted") - match.start(), match.end("quoted") - match.start())
    return match[0][:start] + REDACTED + match[0][end:]


def _looks_secret(key: str, value: str, *, is_prose: bool) -> bool:
    plain = plain_name(key)
    word = value.rstrip(".!?:").lower()
    if not word or word in _WORDS:
        return False
    if not is_prose:
        return not value.startswith(("$", "%")) or len(value) > 12  # variable names are not values
    if plain in _NUMBERS:
        return bool(re.fullmatch(r"[\d -]{3,11}", value.rstrip(".")))
    if _PASSWORDS.search(plain):
        return len(word) >= 4
    return _is_token(value)


def _is_token(value: str) -> bool:
    """True if the value looks generated or like a strong password."""
    value = value.rstrip(".!?:")
    has_digit, has_letter = bool(re.search(r"\d", value)), bool(re.search(r"[A-Za-z]", value))
    has_sign = bool(re.search(r"\w[^\w\s.:/'\u2019-]\w|\w[^\w\s.:/'\u2019-]$", value))
    return (len(value) >= 6 and has_letter and (has_digit or has_sign)) or (len(value) >= 20 and " " not in value)


def _option(match: re.Match[str], rules: SecretKeyRules) -> str | None:
    value = match["value"]
    if not rules.is_secret(match["key"]) or value.lower() in _WORDS or (match[1].startswith("-") and value[0] in "=:"):
        return None
    return match[1] + REDACTED if match[1].startswith("--") or _is_token(value) else None


def _sentence_value(match: re.Match[str]) -> str | None:
    value = match["value"].rstrip(".!?:")
    looks_made_up = bool(re.search(r"\d|[^\w\s.'\u2019-]", value)) and not value.startswith(("[", "$", "<", "{"))
    return match[1] + REDACTED + match["value"][len(value) :] if looks_made_up and value.lower() not in _WORDS else None
