"""Circuit breaker of a server that every request needs, for example the database."""

import logging
import os
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class CircuitBreaker:
    """Tells callers in this process that a server does not respond, so that they do not wait for it one by one.

    The caller whose time limit passed opens the circuit. A thread then probes the server, and the first response closes
    the circuit: no caller waits for a probe.
    """

    def __init__(self, name: str, probe: Callable[[], bool], *, probe_interval_seconds: float = 1.0) -> None:
        """`probe` returns True if the server responds. It must have a time limit of its own."""
        self.name = name
        self._probe = probe
        self._probe_interval_seconds = probe_interval_seconds
        self._lock = threading.Lock()
        self._opened_at: float | None = None
        os.register_at_fork(after_in_child=self._reset)  # the child has no probing thread

    @property
    def is_open(self) -> bool:
        return self._opened_at is not None

    def open(self, reason: str) -> None:
        with self._lock:
            if self._opened_at is not None:
                return
            self._opened_at = time.monotonic()
        log.error("server does not respond, calls are refused", extra={"server": self.name, "reason": reason[:300]})
        threading.Thread(target=self._close_after_response, name=f"probe-{self.name}", daemon=True).start()

    def _close_after_response(self) -> None:
        time.sleep(self._probe_interval_seconds)
        while not self._responds():
            time.sleep(self._probe_interval_seconds)
        seconds = round(time.monotonic() - (self._opened_at or time.monotonic()), 1)
        self._opened_at = None
        log.warning("server responds again", extra={"server": self.name, "seconds": seconds})

    def _responds(self) -> bool:
        try:
            return self._probe()
        except Exception:  # else a defect of the probe would leave the circuit open for good
            log.exception("probe failed", extra={"server": self.name})
            return False

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._opened_at = None
