"""Replaces waffle's `waffle_delete`, as `waffle_flag` here does."""

from flags.management.commands.waffle_flag import Command

__all__ = ["Command"]
