"""Backfill runs in the calling process; see `jobs.foreground`."""

from functools import partial

from backfills.run_control import CONTROL
from jobs import foreground

run_in_foreground = partial(foreground.run_in_foreground, CONTROL)
undo_in_foreground = partial(foreground.undo_in_foreground, CONTROL)
