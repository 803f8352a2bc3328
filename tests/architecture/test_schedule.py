"""Scheduled tasks exist, accept their arguments and have a schedule."""

import inspect
from datetime import timedelta
from typing import Any

import pytest
from celery import Task
from celery.schedules import crontab, schedule
from django.conf import settings

from config.celery import app


def _task(name: str) -> Task:
    app.loader.import_default_modules()
    assert name in app.tasks, f"no task is registered as {name}"
    return app.tasks[name]


@pytest.mark.parametrize("title", settings.CELERY_BEAT_SCHEDULE)
def test_an_entry_of_the_schedule_has_a_task_and_a_time(title: str) -> None:
    entry: dict[str, Any] = settings.CELERY_BEAT_SCHEDULE[title]
    task = _task(entry["task"])
    inspect.signature(task.run).bind(*entry.get("args", ()), **entry.get("kwargs", {}))
    when = entry["schedule"]
    assert isinstance(when, (crontab, schedule, timedelta, int, float))
    if isinstance(when, (timedelta, int, float)):
        assert when if isinstance(when, timedelta) else when > 0
    assert set(entry) <= {"task", "schedule", "args", "kwargs", "options"}


def test_tasks_take_ids_and_return_nothing() -> None:
    app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    assert ours
    for name, task in ours.items():
        signature = inspect.signature(task.run)
        assert signature.return_annotation is None, f"{name} must be annotated `-> None`: results are not stored"
        for parameter in signature.parameters.values():
            assert parameter.annotation in (int, str), f"{name} takes a {parameter.annotation}, not an id (int or str)"
