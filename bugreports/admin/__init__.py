"""Admin pages of bug reports."""

from bugreports.admin import purges, reports

__all__ = ["purges", "reports"]
