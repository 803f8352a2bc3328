"""An option to record answers anew."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", action="store_true", help="write contracts/recordings from what is answered now")
