"""Kill processes and servers of the running service: all are started again, and no confirmed registration is lost."""

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import wait_until
from tests.support.registration_load import register_over_connections
from tests.support.running_stack import RunningStack, running_stack

pytestmark = pytest.mark.slow

# A part of the command line of each process.
WEB, WORKER, BEAT, SERVERS = " granian ", " worker --concurrency", " beat --schedule", "devstack.embedded.watch"
POSTGRESQL, VALKEY, DAEMON = "/postgres -D ", "valkey-server unixsocket:", "devstack.embedded.daemon"


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    folder = Path(tempfile.mkdtemp(prefix="nna-"))  # not tmp_path, whose path is too long for a socket
    with running_stack(folder) as running:
        yield running
    shutil.rmtree(folder)


def kill(stack: RunningStack, *marks: str) -> None:
    for pid in [stack.main_pid(mark) for mark in marks]:
        os.kill(pid, signal.SIGKILL)


def count_tasks(stack: RunningStack) -> int:
    return sum("worker" in line and "succeeded in" in line for line in stack.lines)


def wait_until_all_works(stack: RunningStack) -> None:
    """Wait for a healthy answer and for a task that beat sends every 10 s."""
    wait_until(stack.is_healthy, 30)
    before = count_tasks(stack)
    wait_until(lambda: count_tasks(stack) > before, 60)


def test_killed_processes_are_started_again_and_the_others_go_on(stack: RunningStack) -> None:
    names = {WEB: "web", WORKER: "worker", BEAT: "beat", SERVERS: "servers"}
    for mark, name in names.items():
        before = {other: stack.main_pid(other) for other in (*names, DAEMON)}
        kill(stack, mark)
        wait_until(lambda: f"{name} was killed by SIGKILL and is started again" in stack.lines)  # noqa: B023
        wait_until(lambda: stack.pids(mark))  # noqa: B023
        assert [other for other, pid in before.items() if stack.main_pid(other) != pid] == [mark]
    wait_until_all_works(stack)
    for mark in (WEB, WORKER):  # their own children
        wait_until(lambda: len(stack.pids(mark)) == 3)  # noqa: B023
        main = stack.main_pid(mark)
        killed = max(stack.pids(mark) - {main})
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: len(stack.pids(mark) - {killed}) == 3)  # noqa: B023
        assert stack.main_pid(mark) == main
    wait_until_all_works(stack)


def test_killed_servers_lose_no_confirmed_registration(stack: RunningStack) -> None:
    token, results = stack.token(), []
    load = threading.Thread(
        target=lambda: results.append(register_over_connections(stack.port, token, connections=8, each=60))
    )
    load.start()
    for marks in ([VALKEY], [POSTGRESQL], [POSTGRESQL, VALKEY], [DAEMON], [DAEMON, POSTGRESQL, VALKEY]):
        kill(stack, *marks)
        wait_until(stack.is_healthy, 30)
        time.sleep(1)  # a few registrations
    load.join(120)
    (result,) = results
    assert set(result.responses) <= {201, 503}, "\n".join([*result.errors, *stack.lines[-40:]])
    assert len(set(result.names)) == len(result.names) > 0
    with stack.connect() as connection:
        rows = connection.execute("SELECT name FROM assets_asset").fetchall()
    assert set(result.names) <= {name for (name,) in rows}
    assert len(set(rows)) == len(rows)
    assert "agree" in stack.manage("check_sequences")
    wait_until_all_works(stack)
