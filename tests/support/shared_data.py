"""Data of the organisation that is no part of the project; tests of it are skipped where it is not at hand."""

import os
from pathlib import Path

import pytest

_FOLDERS = [
    Path(os.environ["NNA_SHARED_DATA"]) if os.environ.get("NNA_SHARED_DATA") else None,
    Path(__file__).resolve().parents[3] / "shared" / "data",
]


def shared_file(name: str) -> Path:
    for folder in filter(None, _FOLDERS):
        if (folder / name).is_file():
            return folder / name
    pytest.skip(f"{name} is not at hand")
