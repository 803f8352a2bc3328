"""A supervisor with real processes: small programs instead of web, worker and beat."""

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from common.errors import Conflict
from devstack.stack import ensure_port_free, lock_checkout
from tests.support.processes import ENVIRONMENT, ended_at_last, processes_naming, wait_until

# Prints when it starts and when it gets SIGTERM, and has a child. A `stubborn` program ignores SIGTERM.
PROGRAM = """
import os, signal, sys, time
name, kind, tag = sys.argv[1:]
def stop(*_):
    print("stopping", flush=True)
    if kind != "stubborn": sys.exit()
signal.signal(signal.SIGTERM, stop)
if not os.fork(): signal.signal(signal.SIGTERM, signal.SIG_IGN)
else: print("started", flush=True)
if kind == "short": time.sleep(0.5); sys.exit(3)
while True: time.sleep(60)
"""
SUPERVISOR = """
import json, os, sys; from devstack import supervisor
supervisor.STOP_TIMEOUT_SECONDS = 1
commands, with_parent = json.loads(sys.argv[1]), sys.argv[2] == "1"
parent = os.getppid() if with_parent else None
sys.exit(supervisor.Supervisor(commands, lambda: True, "it is up", parent_pid=parent).run())
"""


@pytest.fixture
def tag() -> str:
    """Return a word that is only in the command lines of processes of this test."""
    return f"tag-{uuid.uuid4().hex}"


def command_line(tag: str, *, with_parent: bool = False, **kinds: str) -> list[str]:
    parts = {name: [sys.executable, "-c", PROGRAM, name, kind, tag] for name, kind in kinds.items()}
    return [sys.executable, "-c", SUPERVISOR, json.dumps(parts), str(int(with_parent))]


def start(tag: str, **kinds: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command_line(tag, **kinds), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT
    )
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(len(kinds) + 1)]
    assert "it is up\n" in lines
    return process


def remaining_output(process: subprocess.Popen[str]) -> list[str]:
    return process.communicate(timeout=20)[0].splitlines()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_processes_in_reverse_order(tag: str, number: signal.Signals):
    with ended_at_last(start(tag, web="", worker="", beat="")) as process:
        process.send_signal(number)
        assert remaining_output(process) == ["beat   | stopping", "worker | stopping", "web    | stopping"]
        assert process.returncode == 0
    assert processes_naming(tag) == set()


def test_the_end_of_one_process_stops_the_others_with_exit_code_1(tag: str):
    with ended_at_last(start(tag, web="", worker="short")) as process:
        assert remaining_output(process) == [
            "worker ended with exit code 3: stopping all processes",
            "web    | stopping",
        ]
        assert process.returncode == 1
    assert processes_naming(tag) == set()


def test_kills_a_process_that_does_not_stop(tag: str):
    with ended_at_last(start(tag, web="stubborn")) as process:
        process.terminate()
        assert remaining_output(process) == ["web | stopping", "web did not stop within 1 s and is killed"]
        assert process.returncode == 0
    assert processes_naming(tag) == set()


def test_a_killed_supervisor_leaves_no_processes(tag: str):
    with ended_at_last(start(tag, web="", worker="stubborn")) as process:
        assert len(processes_naming(tag)) == 5  # itself, two processes and their children
        process.kill()
        process.wait()
        wait_until(lambda: not processes_naming(tag))


def test_stops_with_its_parent(tag: str):
    program = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    arguments = [sys.executable, "-c", program, *command_line(tag, with_parent=True, web="")]
    with ended_at_last(subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)) as parent:
        assert parent.stdout
        while parent.stdout.readline() != "it is up\n":
            pass
        parent.kill()
        wait_until(lambda: not processes_naming(tag))


def test_a_second_stack_in_the_same_checkout_is_rejected(tmp_path: Path):
    with lock_checkout(tmp_path), pytest.raises(Conflict, match=f"as process {os.getpid()}"), lock_checkout(tmp_path):
        pass
    with lock_checkout(tmp_path):
        pass


def test_a_used_port_is_rejected():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Conflict, match=f"Cannot listen on 127.0.0.1:{port} .* Set PORT to a free port"):
            ensure_port_free("127.0.0.1", port)
    ensure_port_free("127.0.0.1", port)
