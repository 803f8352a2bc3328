"""Limit entries, depth, nodes and characters of a report's context; count the rest as dropped."""

import re
from dataclasses import dataclass, field
from typing import Any

TRUNCATED = "[Truncated]"
MORE = "…"
MAX_DEPTH = 12
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LARGEST_NUMBER = 2**63


@dataclass
class Budget:
    """Of one section, or of one entry of a list."""

    nodes: int
    chars: int


@dataclass
class SizeLimiter:
    """`dropped` counts dropped entries, nodes and characters by section."""

    max_text_chars: int
    dropped: dict[str, dict[str, int]] = field(default_factory=dict)

    def newest(self, entries: list[Any], section: str, *, keep: int) -> list[Any]:
        """The first ones: clients send newest first."""
        self._note(section, "entries", len(entries) - keep)
        return entries[:keep]

    def tree(self, value: Any, section: str, budget: Budget) -> Any:
        return self._node(value, section, budget, 0)

    def text(self, value: str, section: str, *, max_chars: int) -> str:
        value = _UNSTORABLE.sub("\ufffd", value)
        if len(value) <= max_chars:
            return value
        self._note(section, "characters", len(value) - max_chars)
        return value[:max_chars] + MORE

    def _note(self, section: str, what: str, count: int) -> None:
        if count > 0:
            counts = self.dropped.setdefault(section, {})
            counts[what] = counts.get(what, 0) + count

    def _node(self, value: Any, section: str, budget: Budget, depth: int) -> Any:
        budget.nodes -= 1
        if isinstance(value, str):
            return self._string(value, section, budget)
        if isinstance(value, (dict, list)):
            if depth >= MAX_DEPTH or (value and budget.nodes <= 0):
                self._note(section, "nodes", 1)
                return TRUNCATED
            if isinstance(value, list):
                return self._list(value, section, budget, depth)
            return self._dict(value, section, budget, depth)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) >= _LARGEST_NUMBER:
            return str(value)
        return value

    def _string(self, value: str, section: str, budget: Budget) -> str:
        if budget.chars <= 0 and value:
            self._note(section, "characters", len(value))
            return TRUNCATED
        kept = self.text(value, section, max_chars=self.max_text_chars)
        budget.chars -= len(kept)
        return kept

    def _list(self, value: list[Any], section: str, budget: Budget, depth: int) -> list[Any]:
        kept: list[Any] = []
        for place, item in enumerate(value):
            if budget.nodes <= 0:
                self._note(section, "nodes", len(value) - place)
                kept.append(TRUNCATED)
                break
            kept.append(self._node(item, section, budget, depth + 1))
        return kept

    def _dict(self, value: dict[str, Any], section: str, budget: Budget, depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for place, (key, part) in enumerate(value.items()):
            if budget.nodes <= 0:
                self._note(section, "nodes", len(value) - place)
                kept[TRUNCATED] = TRUNCATED
                break
            kept[self.text(key, section, max_chars=200)] = self._node(part, section, budget, depth + 1)
        return kept
