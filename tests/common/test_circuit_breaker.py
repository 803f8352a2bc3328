"""The circuit breaker opens at a failure and closes by itself; no caller probes."""

import os
import threading

from common.circuit_breaker import CircuitBreaker
from tests.support.processes import wait_until


def test_closes_at_the_first_response_of_a_probe() -> None:
    responses = [False, False, True]
    breaker = CircuitBreaker("server", lambda: responses.pop(0), probe_interval_seconds=0.01)
    breaker.open("no response")
    assert breaker.is_open
    wait_until(lambda: not breaker.is_open)
    assert responses == []


def test_a_caller_neither_probes_nor_waits_for_a_probe() -> None:
    probing, respond = threading.Event(), threading.Event()

    def probe() -> bool:
        probing.set()
        return respond.wait(30)

    breaker = CircuitBreaker("server", probe, probe_interval_seconds=0.01)
    breaker.open("no response")
    assert probing.wait(30)
    assert breaker.is_open  # while the probe still waits
    respond.set()
    wait_until(lambda: not breaker.is_open)


def test_many_failures_start_one_probe_only() -> None:
    respond = threading.Event()
    breaker = CircuitBreaker("many-failures", lambda: respond.wait(30), probe_interval_seconds=0.01)
    for _ in range(20):
        breaker.open("no response")
    assert [thread.name for thread in threading.enumerate()].count("probe-many-failures") == 1
    respond.set()
    wait_until(lambda: not breaker.is_open)


def test_a_defect_of_the_probe_does_not_leave_the_circuit_open() -> None:
    outcomes: list[object] = [ValueError("defect"), True]

    def probe() -> bool:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return bool(outcome)

    breaker = CircuitBreaker("server", probe, probe_interval_seconds=0.01)
    breaker.open("no response")
    wait_until(lambda: not breaker.is_open)


def test_a_forked_process_starts_with_a_closed_circuit() -> None:
    respond = threading.Event()
    breaker = CircuitBreaker("server", lambda: respond.wait(30), probe_interval_seconds=0.01)
    breaker.open("no response")
    child = os.fork()
    if child == 0:
        os._exit(int(breaker.is_open))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert breaker.is_open
    respond.set()
    wait_until(lambda: not breaker.is_open)
