"""Progress of backfill runs as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from backfills.models import BackfillRun
from backfills.run_control import CONTROL
from jobs import progress


def runs_progress(runs: Sequence[BackfillRun], now: datetime) -> list[dict[str, Any]]:
    """Return the document of `jobs.progress` for each run, with its rule and parameters."""
    documents = progress.runs_progress(CONTROL.models, runs, now)
    return [
        {
            "id": run.pk,
            "rule": run.rule_name,
            "ruleVersion": run.rule_version,
            "parameters": run.parameters,
            **document,
        }
        for run, document in zip(runs, documents, strict=True)
    ]


def run_progress(run: BackfillRun, now: datetime) -> dict[str, Any]:
    return runs_progress([run], now)[0]
