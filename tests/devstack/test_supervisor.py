"""Real processes under a real supervisor, with small programs in the place of web, worker and beat."""

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

# Says when it starts and when it is told to stop; has a child of its own; `stubborn` ones only note the wish.
PART = """
import os, signal, sys, time
name, mood, mark = sys.argv[1:]
def stop(*_):
    print("stopping", flush=True)
    if mood != "stubborn": sys.exit()
signal.signal(signal.SIGTERM, stop)
if not os.fork(): signal.signal(signal.SIGTERM, signal.SIG_IGN)
else: print("started", flush=True)
if mood == "short": time.sleep(0.5); sys.exit(3)
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
def mark() -> str:
    """A word that only the command lines of this test's processes hold."""
    return f"mark-{uuid.uuid4().hex}"


def command_line(mark: str, *, with_parent: bool = False, **moods: str) -> list[str]:
    parts = {name: [sys.executable, "-c", PART, name, mood, mark] for name, mood in moods.items()}
    return [sys.executable, "-c", SUPERVISOR, json.dumps(parts), str(int(with_parent))]


def start(mark: str, **moods: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command_line(mark, **moods), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT
    )
    assert process.stdout
    heard = [process.stdout.readline() for _ in range(len(moods) + 1)]
    assert "it is up\n" in heard
    return process


def told(process: subprocess.Popen[str]) -> list[str]:
    return process.communicate(timeout=20)[0].splitlines()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_the_parts_last_first_when_told_to(mark: str, number: signal.Signals):
    with ended_at_last(start(mark, web="", worker="", beat="")) as process:
        process.send_signal(number)
        assert told(process) == ["beat   | stopping", "worker | stopping", "web    | stopping"]
        assert process.returncode == 0
    assert processes_naming(mark) == set()


def test_stops_the_rest_and_fails_when_one_part_ends(mark: str):
    with ended_at_last(start(mark, web="", worker="short")) as process:
        assert told(process) == ["worker ended with exit code 3: stopping the rest", "web    | stopping"]
        assert process.returncode == 1
    assert processes_naming(mark) == set()


def test_kills_a_part_that_does_not_stop(mark: str):
    with ended_at_last(start(mark, web="stubborn")) as process:
        process.terminate()
        assert told(process) == ["web | stopping", "web did not stop in time and is killed"]
        assert process.returncode == 0
    assert processes_naming(mark) == set()


def test_leaves_nothing_when_it_is_killed_not_even_its_parts_children(mark: str):
    with ended_at_last(start(mark, web="", worker="stubborn")) as process:
        assert len(processes_naming(mark)) == 5  # itself, two parts, a child of each
        process.kill()
        process.wait()
        wait_until(lambda: not processes_naming(mark))


def test_stops_with_its_parent_if_asked_to(mark: str):
    program = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    arguments = [sys.executable, "-c", program, *command_line(mark, with_parent=True, web="")]
    with ended_at_last(subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)) as parent:
        assert parent.stdout
        while parent.stdout.readline() != "it is up\n":
            pass
        parent.kill()
        wait_until(lambda: not processes_naming(mark))


def test_a_second_stack_in_the_same_checkout_is_refused(tmp_path: Path):
    with lock_checkout(tmp_path), pytest.raises(Conflict, match=f"as process {os.getpid()}"), lock_checkout(tmp_path):
        pass
    with lock_checkout(tmp_path):
        pass


def test_a_taken_port_is_refused_before_anything_starts():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"cannot listen on 127.0.0.1:{port} .* set PORT to another one"):
            ensure_port_free("127.0.0.1", port)
    ensure_port_free("127.0.0.1", port)
