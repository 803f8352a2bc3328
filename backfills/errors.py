"""Errors of backfill rules."""

from common.errors import NotFound


class RuleNotFound(NotFound):
    """No app has registered a rule with this name."""

    code = "rule_unknown"
