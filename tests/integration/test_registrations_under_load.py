"""64 connections register assets with files on the running service.

`make test` sends 5 registrations over each connection, `make test-slow` 2,000.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.registration_load import NODES, register_over_connections
from tests.support.running_stack import RunningStack, running_stack

CONNECTIONS = 64


@pytest.fixture
def stack() -> Iterator[RunningStack]:
    folder = Path(tempfile.mkdtemp(prefix="nna-"))  # not tmp_path, whose path is too long for a socket
    with running_stack(folder) as running:
        yield running
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
def test_registrations_over_64_connections_have_no_gap_and_no_duplicate(
    stack: RunningStack, pytestconfig: pytest.Config
) -> None:
    each = pytestconfig.getoption("registrations")
    total = CONNECTIONS * each
    result = register_over_connections(stack.port, stack.token(), connections=CONNECTIONS, each=each)
    assert result.responses == {201: total}, "\n".join(stack.lines[-40:])
    assert len(set(result.names)) == total
    with stack.connect() as connection:
        rows = connection.execute("SELECT name FROM assets_asset").fetchall()
        assert {name for (name,) in rows} == set(result.names)
        nodes = connection.execute(
            "SELECT count(*), min(sequence_number), max(sequence_number), count(DISTINCT sequence_number)"
            " FROM assets_asset GROUP BY taxonomy_node_id"
        ).fetchall()
        assert sum(node[0] for node in nodes) == total
        assert [node for node in nodes if node != (node[0], 1, node[0], node[0])] == []
        assert len(nodes) == min(len(NODES), total)
        assert connection.execute("SELECT count(*) FROM assets_historicalasset").fetchone() == (total,)
        assert connection.execute("SELECT count(*) FROM assets_sequencereservation").fetchone() == (0,)
    assert sum(1 for file in (stack.folder / "media").rglob("*") if file.is_file()) == total
    assert "agree" in stack.manage("check_sequences")
