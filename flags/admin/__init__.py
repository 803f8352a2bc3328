"""Flags, their record and their rollout for staff."""

from flags.admin import changes, field_flags

__all__ = ["changes", "field_flags"]
