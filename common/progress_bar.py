"""Progress bars in the terminal, with rate and remaining time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "-/s")


class _ItemRate(ProgressColumn):
    """The mean rate of items since the start; the bar itself counts bytes."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.fields['items'] / task.elapsed:,.0f}/s" if task.elapsed else "-/s")


@contextmanager
def progress_bar(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yield a function that advances the bar by a number of items."""
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        bar = progress.add_task(title, total=total)
        yield lambda done: progress.advance(bar, done)


@contextmanager
def file_progress_bar(title: str, file: IO[Any]) -> Iterator[Callable[[int], None]]:
    """Yield a function that adds a number of items; the bar shows how much of the file is read, and their rate."""
    columns = (TextColumn("{task.fields[items]:,} {task.description}"), BarColumn(), TaskProgressColumn(), _ItemRate())
    with Progress(*columns, TimeRemainingColumn(), transient=True) as progress:
        bar = progress.add_task(title, total=Path(file.name).stat().st_size, items=0)
        items = 0

        def advance(done: int) -> None:
            nonlocal items
            items += done
            progress.update(bar, completed=file.tell(), items=items)

        yield advance
