"""The sandbox process: a separate program that imports the renderer once and forks a process for every image.

`imaging.sandbox` starts it without settings, environment and connections. If an image crashes its process or exceeds a
limit, the sandbox process reports this and waits for the next image. It ends with its standard input, which is closed
when the parent process ends.
"""

import contextlib
import gc
import importlib
import os
import resource
import select
import signal
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from imaging.errors import ImageRejected
from imaging.sandbox_protocol import MAX_RESPONSE_BYTES, pack, pack_error, pack_response, read_message, unpack_request

_INPUT, _OUTPUT = 0, 1
_READ_BYTES = 1024 * 1024
_MAX_OPEN_FILES = 16  # standard streams, the pipe and late imports
_LIMIT_SIGNALS = {signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM}  # CPU time, out of memory, time


def serve(renderer: str) -> None:
    """Serve requests until the input ends. `renderer` is a module with `warm_up()` and `render(content, spec)`."""
    module = importlib.import_module(renderer)
    module.warm_up()
    gc.freeze()  # forks share the current objects; a garbage collection would copy them
    _write(_OUTPUT, pack({"ready": True}))
    while (request := read_message(sys.stdin.buffer)) is not None:
        header, (content,) = request
        del request
        _write(_OUTPUT, _respond(module, content, header))
        del content


def _write(target: int, pieces: Sequence[bytes]) -> None:
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(target, rest) :]


def _respond(module: ModuleType, content: bytes, header: dict[str, Any]) -> list[bytes]:
    result, report = os.pipe()
    process = os.fork()
    if process == 0:
        _work(module, content, header, report)
    os.close(report)
    try:
        response = _collect(result, process)
    finally:
        os.close(result)
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        return pack_error(_error_of_signal(os.WTERMSIG(status)))
    return [response] if response else pack_error(_crashed("without an error message"))


def _work(module: ModuleType, content: bytes, header: dict[str, Any], report: int) -> None:
    """Process one image in a forked process, which then exits."""
    try:
        _set_limits(**header["limits"])
        try:
            response = pack_response(module.render(content, unpack_request(header)))
        except ImageRejected as error:
            response = pack_error(error)
        except MemoryError:
            error = ImageRejected("The image takes too much memory to decode.", code="image_too_costly")
            response = pack_error(error)
        _write(report, response)
    except Exception:  # affects only this image
        with contextlib.suppress(OSError):
            traceback.print_exc()
    finally:
        os._exit(0)


def _set_limits(*, max_seconds: float, max_memory_bytes: int, max_cpu_seconds: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, _INPUT)
    os.dup2(null, _OUTPUT)
    limits = {
        resource.RLIMIT_AS: (max_memory_bytes, max_memory_bytes),
        resource.RLIMIT_CPU: (max_cpu_seconds, max_cpu_seconds + 1),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (_MAX_OPEN_FILES, _MAX_OPEN_FILES),
    }
    for kind, limit in limits.items():
        with contextlib.suppress(OSError, ValueError):  # macOS has no RLIMIT_AS
            resource.setrlimit(kind, limit)
    # The parent has a shorter timeout and kills this process; this timer is for a dead parent.
    signal.setitimer(signal.ITIMER_REAL, max_seconds + 1)


def _collect(result: int, process: int) -> bytes:
    """Read the output of the forked process. Exit if the parent of the sandbox ends."""
    watching = select.poll()
    watching.register(result, select.POLLIN)
    watching.register(_INPUT, 0)  # POLLHUP is always reported
    received = bytearray()
    while True:
        ready = dict(watching.poll())
        if _INPUT in ready:
            os.kill(process, signal.SIGKILL)
            os._exit(0)
        part = os.read(result, _READ_BYTES)
        if not part:
            return bytes(received)
        received += part
        if len(received) > MAX_RESPONSE_BYTES:
            os.kill(process, signal.SIGKILL)
            return b""


def _error_of_signal(number: int) -> ImageRejected:
    if number in _LIMIT_SIGNALS:
        return ImageRejected("The image takes too much time or memory to decode.", code="image_too_costly")
    return _crashed(f"with signal {number}")


def _crashed(how: str) -> ImageRejected:
    return ImageRejected(f"The image decoder crashed {how}.", code="image_crashed")
