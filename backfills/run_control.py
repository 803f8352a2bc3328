"""Control of backfill runs; see `jobs.run_control`."""

from backfills.engine.run_context import context_for_run, run_models
from jobs.run_control import RunControl

CONTROL = RunControl(run_models(), context_for_run)

pause = CONTROL.pause
cancel = CONTROL.cancel
resume = CONTROL.resume
begin_undo = CONTROL.begin_undo
force_unlock = CONTROL.force_unlock
adjust = CONTROL.adjust
finalise = CONTROL.finalise
reopen = CONTROL.reopen
retry_row = CONTROL.retry_row
pause_all = CONTROL.pause_all
resume_all = CONTROL.resume_all
