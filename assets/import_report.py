"""The result of an import of the legacy registry. Pure."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any

Message = tuple[int, str, str]  # position of the row from 1, its name, text
_MESSAGES_PER_LINE = 1000


class MessageFile:
    """Messages in a temporary file, for imports with more messages than memory holds. Iteration is sorted.

    `extend` takes sorted messages and writes them as lines of many. A call whose messages are before those of the
    previous call begins a new run; each run is read from its own offset, and the runs are merged.
    """

    def __init__(self) -> None:
        self._file = tempfile.NamedTemporaryFile(mode="w+b")  # noqa: SIM115 - open until the report is dropped
        self._run_starts: list[int] = []
        self._last: Message | None = None
        self._length = 0

    def extend(self, messages: Iterable[Message]) -> None:
        iterator = iter(messages)
        while line := list(islice(iterator, _MESSAGES_PER_LINE)):
            if self._last is None or line[0] < self._last:
                self._run_starts.append(self._file.tell())
            self._file.write(json.dumps(line).encode() + b"\n")
            self._last = line[-1]
            self._length += len(line)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Message]:
        self._file.flush()
        ends = [*self._run_starts[1:], self._file.tell()] if self._run_starts else []
        return merge(*(self._read(start, end) for start, end in zip(self._run_starts, ends, strict=True)))

    def _read(self, start: int, end: int) -> Iterator[Message]:
        with Path(self._file.name).open("rb") as file:
            file.seek(start)
            while file.tell() < end:
                yield from map(tuple, json.loads(file.readline()))


@dataclass
class ImportReport:
    """The result for all rows: read = created + updated + unchanged + rejected. Positions start at 1."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: Any = field(default_factory=list)  # list of messages or MessageFile
    warnings: Any = field(default_factory=list)
    normalized: Counter[str] = field(default_factory=Counter)
    by_layer: Counter[str] = field(default_factory=Counter)

    def is_balanced(self) -> bool:
        return self.read == self.created + self.updated + self.unchanged + len(self.rejected)
