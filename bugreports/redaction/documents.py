"""Secrets in a JSON value: by the names of members, in header pairs, and in every string, JSON in strings included."""

import json
from dataclasses import dataclass, field
from typing import Any

from bugreports.redaction.keys import SecretKeyRules
from bugreports.redaction.patterns import REDACTED
from bugreports.redaction.texts import scrub_text

FAILED = "[SCRUB FAILED]"
_MAX_DEPTH = 60
_SHORT_CHARS, _MAX_CLEAN = 80, 5000
_MAX_FINDINGS = 1000  # what is kept of the list; all are counted


@dataclass(frozen=True)
class Redaction:
    """Where something was taken out and why; never what."""

    path: str  # a JSON pointer; `#` canonical_reports into a string that is JSON itself
    rule: str


@dataclass
class Scrubber:
    """Collects findings over the parts of one report."""

    rules: SecretKeyRules = field(default_factory=SecretKeyRules)
    masks_emails: bool = True
    findings: list[Redaction] = field(default_factory=list)
    count: int = 0
    failed: list[str] = field(default_factory=list)
    _clean: set[str] = field(default_factory=set)  # short texts known to be harmless: names and values repeat

    def scrub(self, value: Any, path: str) -> Any:
        """`value` without its secrets; FAILED in its place when scrubbing itself goes wrong."""
        try:
            return self._value(value, path, 0)
        except Exception:  # whatever it is: a part that cannot be scrubbed is not kept, the report is
            self.failed.append(path)
            return FAILED

    def text(self, value: str | None, path: str) -> str | None:
        return None if value is None else self.scrub(value, path)

    def _found(self, path: str, rule: str) -> None:
        self.count += 1
        if len(self.findings) < _MAX_FINDINGS:
            self.findings.append(Redaction(path[:300], rule))

    def _value(self, value: Any, path: str, depth: int) -> Any:
        if isinstance(value, str):
            return self._string(value, path, depth)
        if depth > _MAX_DEPTH and isinstance(value, (dict, list)):
            self._found(path, "depth")
            return REDACTED
        if isinstance(value, dict):
            return self._object(value, path, depth)
        if isinstance(value, list):
            return [self._value(item, f"{path}/{place}", depth + 1) for place, item in enumerate(value)]
        return value

    def _object(self, value: dict[str, Any], path: str, depth: int) -> dict[str, Any]:
        name = value.get("name")
        if isinstance(name, str) and "value" in value and self.rules.is_secret(name):
            rest = {key: self._value(part, f"{path}/{_step(key)}", depth + 1) for key, part in value.items()
                    if key != "value"}  # fmt: skip
            secret = self._secret(value["value"], f"{path}/value")
            return {key: secret if key == "value" else rest[key] for key in value}
        scrubbed: dict[str, Any] = {}
        for key, part in value.items():
            kept = self._plain(key, f"{path}/{_step(REDACTED)}")
            where = f"{path}/{_step(kept)}"
            is_secret = self.rules.is_secret(key)
            scrubbed[kept] = self._secret(part, where) if is_secret else self._value(part, where, depth + 1)
        return scrubbed

    def _secret(self, value: Any, path: str) -> Any:
        """What stands under the name of a secret; yes, no and nothing tell nothing."""
        if value is None or isinstance(value, bool) or value in ("", REDACTED, [], {}):
            return value
        self._found(path, "key")
        return REDACTED

    def _plain(self, text: str, path: str) -> str:
        if text in self._clean:
            return text
        scrubbed = scrub_text(text, self.rules, lambda rule: self._found(path, rule), masks_emails=self.masks_emails)
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
    """The JSON value of `text`; None where it is none, or where a name comes twice: a parser hides the first."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name comes twice")
    return made
