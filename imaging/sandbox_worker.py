"""The image child: a program of its own that imports the renderer once and forks a process for every picture.

It knows nothing of the registry: no settings, no environment, no connection. A picture that kills, fills or stalls its
process costs that process; the child tells how it ended and waits for the next. It ends when its input does, that is
when the process it belongs to ends, however that happens. Started by `imaging.sandbox`.
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
from imaging.sandbox_protocol import MAX_ANSWER_BYTES, pack, pack_error, pack_response, read_message, unpack_request

_INPUT, _OUTPUT = 0, 1
_READ_BYTES = 1024 * 1024
_MAX_OPEN_FILES = 16  # input, output, errors, the pipe, and a module imported late
_OUT_OF_BOUNDS = {signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM}  # CPU time; the kernel out of memory; time


def serve(renderer: str) -> None:
    """`renderer` is a module with `warm_up()` and `render(content, wish)`; tests bring one that fails as they like."""
    module = importlib.import_module(renderer)
    module.warm_up()
    gc.freeze()  # what stands now is shared with all forks; a collection there would copy it
    _write(_OUTPUT, pack({"ready": True}))
    while (request := read_message(sys.stdin.buffer)) is not None:
        header, (content,) = request
        del request
        _write(_OUTPUT, _answer(module, content, header))
        del content


def _write(target: int, pieces: Sequence[bytes]) -> None:
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(target, rest) :]


def _answer(module: ModuleType, content: bytes, header: dict[str, Any]) -> list[bytes]:
    result, report = os.pipe()
    process = os.fork()
    if process == 0:
        _work(module, content, header, report)
    os.close(report)
    try:
        answer = _collect(result, process)
    finally:
        os.close(result)
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        return pack_error(_error_after_death(os.WTERMSIG(status)))
    return [answer] if answer else pack_error(_crashed("without a word"))


def _work(module: ModuleType, content: bytes, header: dict[str, Any], report: int) -> None:
    """The life of the process of one picture. Never returns."""
    try:
        _confine(**header["bounds"])
        try:
            answer = pack_response(module.render(content, unpack_request(header)))
        except ImageRejected as error:
            answer = pack_error(error)
        except MemoryError:
            error = ImageRejected("The picture takes too much memory to decode.", code="image_too_costly")
            answer = pack_error(error)
        _write(report, answer)
    except Exception:  # whatever it is, only this picture shall suffer
        with contextlib.suppress(OSError):
            traceback.print_exc()
    finally:
        os._exit(0)


def _confine(*, max_seconds: float, max_memory_bytes: int, max_cpu_seconds: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, _INPUT)
    os.dup2(nowhere, _OUTPUT)
    bounds = {
        resource.RLIMIT_AS: (max_memory_bytes, max_memory_bytes),
        resource.RLIMIT_CPU: (max_cpu_seconds, max_cpu_seconds + 1),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (_MAX_OPEN_FILES, _MAX_OPEN_FILES),
    }
    for kind, bound in bounds.items():
        with contextlib.suppress(OSError, ValueError):  # macOS knows no bound of the address space
            resource.setrlimit(kind, bound)
    # Our process gives up first and kills us all; this is for the case that it has gone.
    signal.setitimer(signal.ITIMER_REAL, max_seconds + 1)


def _collect(result: int, process: int) -> bytes:
    """All that the process of a picture writes. If meanwhile the one we work for goes, so do we."""
    watching = select.poll()
    watching.register(result, select.POLLIN)
    watching.register(_INPUT, 0)  # hang-up is always told
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
        if len(received) > MAX_ANSWER_BYTES:
            os.kill(process, signal.SIGKILL)
            return b""


def _error_after_death(number: int) -> ImageRejected:
    if number in _OUT_OF_BOUNDS:
        return ImageRejected("The picture takes too much time or memory to decode.", code="image_too_costly")
    return _crashed(f"by signal {number}")


def _crashed(how: str) -> ImageRejected:
    return ImageRejected(f"The decoder died of this picture, {how}.", code="image_crashed")
