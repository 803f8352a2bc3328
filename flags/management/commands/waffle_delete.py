"""Stands in the way of waffle's own `waffle_delete`, like `waffle_flag` here."""

from flags.management.commands.waffle_flag import Command

__all__ = ["Command"]
