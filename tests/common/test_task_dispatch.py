"""Tasks that run once a day are repeated after an outage of the database."""

import pytest
from django.db import InterfaceError, OperationalError

from bugreports import tasks


@pytest.mark.parametrize("error", [OperationalError("the connection is closed"), InterfaceError("already closed")])
def test_a_daily_task_that_lost_its_connection_runs_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes: list[Exception | None] = [error, error, None]

    def delete_pending_files() -> None:
        if outcome := outcomes.pop(0):
            raise outcome

    monkeypatch.setattr(tasks, "delete_pending_files", delete_pending_files)
    monkeypatch.setattr(tasks, "sweep_orphans", lambda now: None)
    assert tasks.cleanup_report_files.apply().successful()
    assert outcomes == []


def test_a_defect_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fail() -> None:
        calls.append(1)
        raise ValueError("defect")

    monkeypatch.setattr(tasks, "delete_pending_files", fail)
    assert tasks.cleanup_report_files.apply().failed()
    assert calls == [1]
