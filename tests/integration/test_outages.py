"""PostgreSQL and Valkey stopped with SIGSTOP or killed, behind a web process, a worker and beat.

The short form stops them for some seconds. The full form stops them for a minute.
"""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.frozen_servers import frozen, kill, postgres_processes, valkey_processes
from tests.support.outage_stack import KINDS, OutageStack, Reply, started_stack
from tests.support.processes import wait_until

SHORT_SECONDS, LONG_SECONDS = 4, 60
_SENT = {kind: 201 if kind in ("create", "login", "bug report") else 200 for kind in KINDS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outage")


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[OutageStack]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with started_stack(folder, port=port, with_worker=True) as running:
        yield running


def _send_all(stack: OutageStack) -> dict[str, Reply]:
    return {kind: stack.send(kind) for kind in KINDS}


def _statuses(replies: dict[str, Reply]) -> dict[str, int]:
    return {kind: reply.status for kind, reply in replies.items()}


def _assert_refused(replies: dict[str, Reply]) -> None:
    """Health is degraded; each other reply is 503 with a time to retry, JSON below /api and a page in the admin."""
    health = replies.pop("health")
    assert health.status == 200
    assert health.json()["status"] == "degraded"
    assert health.json()["config"]["database"]["connected"] is False
    assert _statuses(replies) == dict.fromkeys(replies, 503)
    assert {kind: reply.headers.get("retry-after") for kind, reply in replies.items()} == dict.fromkeys(replies, "5")
    page = replies.pop("admin page")
    assert page.headers["content-type"].startswith("text/html")
    report = replies.pop("bug report").json()
    assert (report["error_code"], report["error"]) == ("DATABASE_ERROR", "Failed to save bug report")
    for reply in replies.values():
        assert reply.json()["error"]["code"] == "ServiceUnavailableException"


def _works(stack: OutageStack) -> bool:
    return _statuses(_send_all(stack)) == _SENT


def _freeze_database(stack: OutageStack, seconds: float) -> None:
    wait_until(lambda: _works(stack), 60)
    names = [stack.create_song("http://127.0.0.1:9/cover.jpg").json()["data"]["name"] for _ in range(5)]
    with frozen(postgres_processes(stack.data_dir)):  # the worker has not processed all of the songs
        end = time.monotonic() + seconds
        _assert_refused(_send_all(stack))
        while time.monotonic() < end:
            _assert_refused(_send_all(stack))
            time.sleep(1)
    wait_until(lambda: _works(stack), 60)
    wait_until(lambda: all(_artwork_status(stack, name) != "pending" for name in names), 90)


def test_a_frozen_database_is_reported_and_everything_works_afterwards(stack: OutageStack, folder: Path) -> None:
    log = folder / "web.log"
    earlier = len(log.read_text())
    _freeze_database(stack, SHORT_SECONDS)
    lines = log.read_text()[earlier:].splitlines()
    assert sum('server does not respond, calls are refused server="postgresql"' in line for line in lines) == 1
    refusals = [line for line in lines if "database unavailable, request refused" in line]
    assert len(refusals) == len({line.partition("request_id=")[2] for line in refusals})  # one line for each request
    assert not any(line.startswith("Traceback") for line in lines)


@pytest.mark.slow
@pytest.mark.full
def test_a_database_that_is_frozen_for_a_minute(stack: OutageStack) -> None:
    _freeze_database(stack, LONG_SECONDS)


def test_a_database_that_freezes_within_a_statement(stack: OutageStack) -> None:
    """The edit waits for a row that another session has locked, and the freeze meets it there."""
    wait_until(lambda: _works(stack), 60)
    host = stack.environment["DATABASE_URL"].split("@/")[1].rpartition("/")[0]
    server = {"host": host, "user": "postgres", "dbname": "registry"}
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE '%assets_asset%'"
    replies: list[Reply] = []
    edit = threading.Thread(target=lambda: replies.append(stack.send("edit")))
    with psycopg.connect(**server) as holder, psycopg.connect(**server, autocommit=True) as watcher:
        holder.execute("SELECT 1 FROM assets_asset FOR UPDATE")
        edit.start()
        wait_until(lambda: watcher.execute(waiting).fetchone() == (1,))
        with frozen(postgres_processes(stack.data_dir)):
            edit.join(60)
            assert [reply.status for reply in replies] == [503]
            _assert_refused(_send_all(stack))
    wait_until(lambda: _works(stack), 60)


def test_a_lock_that_is_held_too_long_ends_in_503(stack: OutageStack) -> None:
    wait_until(lambda: _works(stack), 60)
    host = stack.environment["DATABASE_URL"].split("@/")[1].rpartition("/")[0]
    with psycopg.connect(host=host, user="postgres", dbname="registry") as holder:
        holder.execute("SELECT 1 FROM assets_asset FOR UPDATE")
        reply = stack.send("edit")
    assert (reply.status, reply.headers["retry-after"]) == (503, "5")
    assert stack.send("edit").status == 200


def _freeze_valkey(stack: OutageStack, seconds: float) -> None:
    wait_until(lambda: _works(stack), 60)
    with frozen(valkey_processes(stack.data_dir)):
        end = time.monotonic() + seconds
        song = stack.create_song("http://127.0.0.1:9/cover.jpg")
        assert song.status == 201
        name = song.json()["data"]["name"]
        while time.monotonic() < end:
            replies = _send_all(stack)
            assert _statuses(replies) == _SENT
            assert replies["health"].json()["config"]["cache"]["connected"] is False
            time.sleep(1)
        assert _artwork_status(stack, name) == "pending"
    wait_until(lambda: stack.send("health").json()["config"]["cache"]["connected"], 60)
    # The source has no server: the worker has processed the request once its status is no longer "pending".
    wait_until(lambda: _artwork_status(stack, name) != "pending", 90)
    assert _works(stack)


def _artwork_status(stack: OutageStack, name: str) -> str:
    reply = stack.request("GET", f"/api/assets/{name}", stack.bearer())
    return str(reply.json()["data"]["albumArtDetails"]["status"])


def test_a_frozen_valkey_fails_no_request_and_loses_no_work(stack: OutageStack) -> None:
    _freeze_valkey(stack, SHORT_SECONDS)


@pytest.mark.slow
@pytest.mark.full
def test_a_valkey_that_is_frozen_for_a_minute(stack: OutageStack) -> None:
    _freeze_valkey(stack, LONG_SECONDS)


def test_a_killed_database_ends_requests_in_503_until_it_runs_again(stack: OutageStack) -> None:
    wait_until(lambda: _works(stack), 60)
    kill(postgres_processes(stack.data_dir))
    seen: set[int] = set()

    def works() -> bool:
        statuses = _statuses(_send_all(stack))
        seen.update(statuses.values())
        return statuses == _SENT

    wait_until(works, 60)
    assert seen <= {200, 201, 503}


def test_a_killed_valkey_fails_no_request_and_loses_no_work(stack: OutageStack) -> None:
    wait_until(lambda: _works(stack), 60)
    kill(valkey_processes(stack.data_dir))
    song = stack.create_song("http://127.0.0.1:9/cover.jpg")
    assert song.status == 201
    assert _statuses(_send_all(stack)) == _SENT
    wait_until(lambda: stack.send("health").json()["config"]["cache"]["connected"], 60)
    wait_until(lambda: _artwork_status(stack, song.json()["data"]["name"]) != "pending", 90)
    assert _works(stack)
