"""Data of the organization outside the project. Tests that need it are skipped if it is absent."""

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
    pytest.skip(f"{name} is absent: set NNA_SHARED_DATA to its folder")
