"""Pages of bug reports."""

from bugreports.admin import reports

__all__ = ["reports"]
