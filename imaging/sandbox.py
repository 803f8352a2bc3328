"""Decode images in a child process with limits of memory and time.

A process has one sandbox process, which starts with its first image. Threads wait for each other. A forked process
starts its own.
"""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

from common.errors import Unavailable
from imaging.errors import ImageRejected
from imaging.renditions import RenderedImage, RenderSpec
from imaging.sandbox_protocol import ProtocolError, missing_bytes, pack_request, unpack_response

_ROOT = Path(__file__).resolve().parents[1]
# The interpreter is isolated (-I), so the path of the packages is an argument.
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from imaging.sandbox_worker import serve; serve(renderer=sys.argv[2])"
)
_MAX_START_SECONDS = 30
_CHUNK_BYTES = 1024 * 1024
_MIB = 1024 * 1024


class _SandboxEnded(Exception):
    """The sandbox process ended."""


class SandboxProcess:
    """A sandbox process. `renderer` is the module whose `render` it calls."""

    def __init__(self, *, renderer: str = "imaging.rendering") -> None:
        self._renderer = renderer
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        _sandboxes.add(self)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def render(
        self,
        content: bytes,
        spec: RenderSpec,
        *,
        max_seconds: float = 15,
        max_memory_bytes: int = 1024 * _MIB,
        max_cpu_seconds: int = 10,
    ) -> RenderedImage:
        """Render in the sandbox. Raises ImageRejected, also for an exceeded limit, and Unavailable if it failed."""
        request = pack_request(
            content, spec, max_seconds=max_seconds, max_memory_bytes=max_memory_bytes, max_cpu_seconds=max_cpu_seconds
        )
        with self._lock:
            process = self._running()
            try:
                return unpack_response(_exchange(process, request, deadline=time.monotonic() + max_seconds))
            except ImageRejected:
                raise
            except TimeoutError as error:
                self._kill()
                message = f"The image takes more than {max_seconds:g} seconds to decode."
                raise ImageRejected(message, code="image_too_costly") from error
            except (_SandboxEnded, ProtocolError) as error:
                # Images are decoded in forks of the sandbox process, so the image is not the reason of its end.
                self._kill()
                raise Unavailable("The image sandbox ended unexpectedly.") from error
            except BaseException:  # e.g. the time limit of a task: the next call would read the rest of this response
                self._kill()
                raise

    def close(self) -> None:
        with self._lock:
            self._kill()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process and self._process.poll() is None:
            return self._process
        self._kill()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, str(_ROOT), self._renderer],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                cwd="/",
                env={"PATH": os.defpath},
                start_new_session=True,
            )
            _widen_pipes(self._process)
            _exchange(self._process, [], deadline=time.monotonic() + _MAX_START_SECONDS)
        except (OSError, _SandboxEnded, ProtocolError) as error:
            self._kill()
            raise Unavailable("The image sandbox does not start.") from error
        return self._process

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:  # not yet waited for, so the process id is not reused
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        _close_pipes(process)

    def _reset(self) -> None:
        """Drop the sandbox process after a fork: it belongs to the parent, and so do its pipes."""
        self._lock = threading.Lock()
        process, self._process = self._process, None
        if process is not None:
            _close_pipes(process)
            process.returncode = 0  # the parent waits for it


_sandboxes: weakref.WeakSet[SandboxProcess] = weakref.WeakSet()


def _reset_after_fork() -> None:
    for sandbox in list(_sandboxes):
        sandbox._reset()


os.register_at_fork(after_in_child=_reset_after_fork)
_sandbox = SandboxProcess()


def render_in_sandbox(
    content: bytes,
    spec: RenderSpec,
    *,
    max_seconds: float = 15,
    max_memory_bytes: int = 1024 * _MIB,
    max_cpu_seconds: int = 10,
) -> RenderedImage:
    """Call `SandboxProcess.render` of the sandbox of this process."""
    return _sandbox.render(
        content, spec, max_seconds=max_seconds, max_memory_bytes=max_memory_bytes, max_cpu_seconds=max_cpu_seconds
    )


def _widen_pipes(process: subprocess.Popen[bytes]) -> None:
    """Enlarge the pipes, because pieces of 64 KiB cause a context switch each."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # above the limit of an unprivileged user
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _CHUNK_BYTES)


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


def _exchange(process: subprocess.Popen[bytes], request: list[bytes], *, deadline: float) -> bytearray:
    """Send the request and wait for one message. Raises TimeoutError, _SandboxEnded, ProtocolError."""
    if process.stdin is None or process.stdout is None:
        raise _SandboxEnded
    sending, receiving = process.stdin.fileno(), process.stdout.fileno()
    os.set_blocking(sending, False)
    pieces = [memoryview(piece) for piece in request if piece]
    received = bytearray()
    waiting = select.poll()
    waiting.register(receiving, select.POLLIN)
    if pieces:
        waiting.register(sending, select.POLLOUT)
    while missing := missing_bytes(received):
        ready = dict(waiting.poll(max(0.0, deadline - time.monotonic()) * 1000))
        if not ready:
            raise TimeoutError
        if sending in ready:
            try:
                pieces[0] = pieces[0][os.write(sending, pieces[0][:_CHUNK_BYTES]) :]
            except BrokenPipeError as error:
                raise _SandboxEnded from error
            if not pieces[0]:
                del pieces[0]
            if not pieces:
                waiting.unregister(sending)
        if receiving in ready:
            part = os.read(receiving, min(missing, _CHUNK_BYTES))
            if not part:
                raise _SandboxEnded
            received += part
    return received
