"""Redact a JSON value: members and header pairs with secret names, and all strings, including JSON in strings."""

import json
from dataclasses import dataclass, field
from typing import Any

from bugreports.redaction.keys import SecretKeyRules
from bugreports.redaction.patterns import REDACTED
from bugreports.redaction.texts import scrub_text

FAILED = "[SCRUB FAILED]"
_MAX_DEPTH = 60
_SHORT_CHARS, _MAX_CLEAN = 80, 5000
_MAX_REDACTIONS = 1000  # length of the stored list; `count` has no limit


@dataclass(frozen=True)
class Redaction:
    """The path and rule of one redaction, without the removed value."""

    path: str  # a JSON pointer; `#` enters a string that contains JSON
    rule: str


@dataclass
class Scrubber:
    """Redact the parts of one report and collect the redactions."""

    rules: SecretKeyRules = field(default_factory=SecretKeyRules)
    masks_emails: bool = True
    redactions: list[Redaction] = field(default_factory=list)
    count: int = 0
    failed: list[str] = field(default_factory=list)
    _clean: set[str] = field(
        default_factory=set
    )  # cache of short texts without secrets, because names and values repeat

    def scrub(self, value: Any, path: str) -> Any:
        """Return `value` without secrets, or FAILED if redaction raises."""
        try:
            return self._value(value, path, 0)
        except Exception:  # any error: the part is dropped, the report is stored
            self.failed.append(path)
            return FAILED

    def text(self, value: str | None, path: str) -> str | None:
        return None if value is None else self.scrub(value, path)

    def _record(self, path: str, rule: str) -> None:
        self.count += 1
        if len(self.redactions) < _MAX_REDACTIONS:
            self.redactions.append(Redaction(path[:300], rule))

    def _value(self, value: Any, path: str, depth: int) -> Any:
        if isinstance(value, str):
            return self._string(value, path, depth)
        if depth > _MAX_DEPTH and isinstance(value, (dict, list)):
            self._record(path, "depth")
            return REDACTED
        if isinstance(value, dict):
            return self._object(value, path, depth)
        if isinstance(value, list):
            return [self._value(item, f"{path}/{index}", depth + 1) for index, item in enumerate(value)]
        return value

    def _object(self, value: dict[str, Any], path: str, depth: int) -> dict[str, Any]:
        name = value.get("name")
        if isinstance(name, str) and "value" in value and self.rules.is_secret(name):
            others = {key: self._value(part, f"{path}/{_step(key)}", depth + 1) for key, part in value.items()
                    if key != "value"}  # fmt: skip
            secret = self._secret(value["value"], f"{path}/value")
            return {key: secret if key == "value" else others[key] for key in value}
        scrubbed: dict[str, Any] = {}
        for key, part in value.items():
            kept = self._plain(key, f"{path}/{_step(REDACTED)}")
            part_path = f"{path}/{_step(kept)}"
            is_secret = self.rules.is_secret(key)
            scrubbed[kept] = self._secret(part, part_path) if is_secret else self._value(part, part_path, depth + 1)
        return scrubbed

    def _secret(self, value: Any, path: str) -> Any:
        """Redact the value of a secret name. Booleans, null and empty values stay, because they contain no secret."""
        if value is None or isinstance(value, bool) or value in ("", REDACTED, [], {}):
            return value
        self._record(path, "key")
        return REDACTED

    def _plain(self, text: str, path: str) -> str:
        if text in self._clean:
            return text
        scrubbed = scrub_text(text, self.rules, lambda rule: self._record(path, rule), masks_emails=self.masks_emails)
        if scrubbed == text and len(text) <= _SHORT_CHARS and len(self._clean) < _MAX_CLEAN:
            self._clean.add(text)
        return scrubbed

    def _string(self, text: str, path: str, depth: int) -> str:
        if text[:1] in "{[" and text.rstrip()[-1:] in ("}", "]") and depth <= _MAX_DEPTH:
            parsed = _parse(text)
            if isinstance(parsed, (dict, list)):
                before = self.count
                scrubbed = self._value(parsed, f"{path}#", depth + 1)
                if self.count == before and scrubbed == parsed:
                    return text
                return json.dumps(scrubbed, ensure_ascii=False, separators=(",", ":"))
        return self._plain(text, path)


def _step(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")[:80]


def _parse(text: str) -> Any:
    """Parse JSON; return None if invalid or if a name repeats, because parsing would drop the first value."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate name")
    return result
