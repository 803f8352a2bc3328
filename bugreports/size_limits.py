"""Limit entries, depth, nodes and characters of a report's context, and count the dropped ones."""

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
    """The remaining nodes and characters of a section or list entry."""

    nodes: int
    chars: int


@dataclass
class SizeLimiter:
    """Truncate JSON values. `dropped` counts dropped entries, nodes and characters by section."""

    max_text_chars: int
    dropped: dict[str, dict[str, int]] = field(default_factory=dict)

    def newest(self, entries: list[Any], section: str, *, keep: int) -> list[Any]:
        """Return the first `keep` entries; clients send the newest first."""
        self._count(section, "entries", len(entries) - keep)
        return entries[:keep]

    def tree(self, value: Any, section: str, budget: Budget) -> Any:
        return self._node(value, section, budget, 0)

    def text(self, value: str, section: str, *, max_chars: int) -> str:
        value = _UNSTORABLE.sub("\ufffd", value)
        if len(value) <= max_chars:
            return value
        self._count(section, "characters", len(value) - max_chars)
        return value[:max_chars] + MORE

    def _count(self, section: str, unit: str, count: int) -> None:
        if count > 0:
            counts = self.dropped.setdefault(section, {})
            counts[unit] = counts.get(unit, 0) + count

    def _node(self, value: Any, section: str, budget: Budget, depth: int) -> Any:
        budget.nodes -= 1
        if isinstance(value, str):
            return self._string(value, section, budget)
        if isinstance(value, (dict, list)):
            if depth >= MAX_DEPTH or (value and budget.nodes <= 0):
                self._count(section, "nodes", 1)
                return TRUNCATED
            if isinstance(value, list):
                return self._list(value, section, budget, depth)
            return self._dict(value, section, budget, depth)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) >= _LARGEST_NUMBER:
            return str(value)
        return value

    def _string(self, value: str, section: str, budget: Budget) -> str:
        if budget.chars <= 0 and value:
            self._count(section, "characters", len(value))
            return TRUNCATED
        kept = self.text(value, section, max_chars=self.max_text_chars)
        budget.chars -= len(kept)
        return kept

    def _list(self, value: list[Any], section: str, budget: Budget, depth: int) -> list[Any]:
        kept: list[Any] = []
        for index, item in enumerate(value):
            if budget.nodes <= 0:
                self._count(section, "nodes", len(value) - index)
                kept.append(TRUNCATED)
                break
            kept.append(self._node(item, section, budget, depth + 1))
        return kept

    def _dict(self, value: dict[str, Any], section: str, budget: Budget, depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for index, (key, part) in enumerate(value.items()):
            if budget.nodes <= 0:
                self._count(section, "nodes", len(value) - index)
                kept[TRUNCATED] = TRUNCATED
                break
            kept[self.text(key, section, max_chars=200)] = self._node(part, section, budget, depth + 1)
        return kept
