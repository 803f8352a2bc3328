"""Conditions under which `run_stack` refuses to start."""

import socket
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from devstack.stack import lock_checkout


@pytest.fixture
def checkout(settings: Settings, tmp_path: Path) -> Path:
    settings.ENVIRONMENT_NAME = "development"
    settings.STACK_DIR = tmp_path
    return tmp_path


def test_runs_in_development_only() -> None:
    with pytest.raises(CommandError, match="is for development"):
        call_command("run_stack")


def test_rejects_a_used_port_before_it_changes_the_database(checkout: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CommandError, match=str(port)):
            call_command("run_stack", "--port", str(port))


def test_rejects_a_second_start_in_the_same_checkout(checkout: Path) -> None:
    with lock_checkout(checkout), pytest.raises(CommandError, match="already runs"):
        call_command("run_stack", "--port", "0")
