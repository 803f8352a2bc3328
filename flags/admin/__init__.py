"""Admin of flags, of their changes and of their rollout."""

from flags.admin import changes, field_flags

__all__ = ["changes", "field_flags"]
