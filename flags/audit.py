"""Descriptions of recorded flag states and of the differences between two of them. Pure.

A recorded state is a JSON object: `everyone` (true, false or null), `percent` ("25.0" or null), `staff`,
`authenticated`, `users` (public ids), `groups` (names), `note`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

State = Mapping[str, Any]

LABELS = {
    "everyone": "Everyone",
    "percent": "Percent",
    "staff": "Staff",
    "authenticated": "Authenticated",
    "users": "Users",
    "groups": "Groups",
    "note": "Note",
}
_EVERYONE = {True: "on for everyone", False: "off for everyone", None: "decided by the settings below"}


class Difference(NamedTuple):
    label: str
    before: str
    after: str


def describe_state(state: State | None) -> str:
    """Return a description such as "off", "on for everyone" or "25 % + staff + 2 users"."""
    if state is None:
        return "missing"
    if state["everyone"] is not None:
        return "on for everyone" if state["everyone"] else "off"
    if state["authenticated"]:
        return "on for all signed-in users"
    targets = []
    if state["percent"] and float(state["percent"]):
        targets.append(format_percent(state["percent"]))
    if state["staff"]:
        targets.append("staff")
    if count := len(state["users"]):
        targets.append("1 user" if count == 1 else f"{count} users")
    targets += [f"group {name}" for name in state["groups"]]
    return " + ".join(targets) or "off"


def format_percent(percent: Any) -> str:
    return f"{float(percent):g} %"


def diff_states(before: State | None, after: State | None, emails: Mapping[str, str] | None = None) -> list[Difference]:
    """Return the changed fields. `emails` maps public ids of users to what is shown for them."""
    return [
        Difference(label, _value(key, before, emails or {}), _value(key, after, emails or {}))
        for key, label in LABELS.items()
        if (before or {}).get(key) != (after or {}).get(key)
    ]


def _value(key: str, state: State | None, emails: Mapping[str, str]) -> str:
    if state is None:
        return ""
    value = state[key]
    if key == "everyone":
        return _EVERYONE[value]
    if key == "percent":
        return "none" if value is None else format_percent(value)
    if key == "users":
        return ", ".join(sorted(emails.get(public_id, public_id) for public_id in value)) or "none"
    if key == "groups":
        return ", ".join(value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
