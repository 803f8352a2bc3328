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
from tests.support.processes import ENVIRONMENT, ended_at_last, parents, processes_naming, wait_until

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
commands, with_parent, is_ready = (json.loads(argument) for argument in sys.argv[1:])
parent = os.getppid() if with_parent else None
sys.exit(supervisor.Supervisor(commands, lambda: is_ready, "it is up", parent_pid=parent).run())
"""


@pytest.fixture
def tag() -> str:
    """Return a word that is only in the command lines of processes of this test."""
    return f"tag-{uuid.uuid4().hex}"


def command_line(tag: str, *, with_parent: bool = False, is_ready: bool = True, **kinds: str) -> list[str]:
    parts = {name: [sys.executable, "-c", PROGRAM, name, kind, tag] for name, kind in kinds.items()}
    return [sys.executable, "-c", SUPERVISOR, *(json.dumps(part) for part in (parts, with_parent, is_ready))]


def start(tag: str, **kinds: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command_line(tag, **kinds), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT
    )
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(len(kinds) + 1)]
    assert "it is up\n" in lines
    return process


def next_lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout
    return [process.stdout.readline().rstrip() for _ in range(count)]


def programs_of(tag: str, name: str) -> set[int]:
    """Return the process of a command and its child, but not the supervisor, whose command line has all commands."""
    return processes_naming(f" {name} ") & processes_naming(tag) - processes_naming("devstack")


def children_of(parent_pid: int, pids: set[int]) -> set[int]:
    """Return those of the processes that have this parent."""
    return pids & {pid for pid, parent in parents().items() if parent == parent_pid}


def remaining_output(process: subprocess.Popen[str]) -> list[str]:
    return process.communicate(timeout=20)[0].splitlines()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_processes_in_reverse_order(tag: str, number: signal.Signals):
    with ended_at_last(start(tag, web="", worker="", beat="")) as process:
        process.send_signal(number)
        assert remaining_output(process) == ["beat   | stopping", "worker | stopping", "web    | stopping"]
        assert process.returncode == 0
    assert processes_naming(tag) == set()


def test_a_killed_process_is_started_again_without_its_children_and_the_others_go_on(tag: str):
    with ended_at_last(start(tag, web="", worker="")) as process:
        web, worker = (programs_of(tag, name) for name in ("web", "worker"))
        (main,) = children_of(process.pid, worker)
        os.kill(main, signal.SIGKILL)
        assert next_lines(process, 2) == ["worker was killed by SIGKILL and is started again", "worker | started"]
        assert programs_of(tag, "web") == web
        assert len(programs_of(tag, "worker")) == 2
        assert not programs_of(tag, "worker") & worker
        process.terminate()
        assert remaining_output(process) == ["worker | stopping", "web    | stopping"]
        assert process.returncode == 0
    assert processes_naming(tag) == set()


def test_a_process_that_ends_again_and_again_is_left_down_and_the_others_go_on(tag: str):
    with ended_at_last(start(tag, web="", worker="short")) as process:
        ends = [next_lines(process, 1)[0] for _ in range(9)][::2]
        end = "worker ended with exit code 3"
        assert ends == [
            *(f"{end} and is started again{delay}" for delay in ("", " in 0.5 s", " in 1 s", " in 2 s")),
            f"{end} again and is LEFT DOWN; one start is tried every 60 s",
        ]
        assert not programs_of(tag, "worker")
        assert len(programs_of(tag, "web")) == 2
        process.terminate()
        assert remaining_output(process) == ["web    | stopping", "Left down: worker (ended with exit code 3)"]
        assert process.returncode == 1


def test_a_first_start_that_fails_stops_everything(tag: str):
    command = command_line(tag, is_ready=False, web="", worker="short")
    with ended_at_last(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)) as process:
        assert remaining_output(process)[-3:] == [
            "The start failed: stopping all processes",
            "web    | stopping",
            "Left down: worker (ended with exit code 3)",
        ]
        assert process.returncode == 1
    assert processes_naming(tag) == set()


def test_a_program_that_does_not_exist_is_left_down(tag: str):
    command = command_line(tag, web="")
    command[3] = json.dumps(json.loads(command[3]) | {"worker": ["/nowhere/worker"]})
    with ended_at_last(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)) as process:
        lines = next_lines(process, 7)
        assert "LEFT DOWN" in lines[-1]
        process.terminate()
        assert "worker (did not start ([Errno 2]" in remaining_output(process)[-1]


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


def test_a_killed_reaper_is_replaced(tag: str):
    with ended_at_last(start(tag, web="", worker="stubborn")) as process:
        (reaper,) = children_of(process.pid, processes_naming("orphan_reaper.py"))
        os.kill(reaper, signal.SIGKILL)
        wait_until(lambda: children_of(process.pid, processes_naming("orphan_reaper.py")) - {reaper})
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
