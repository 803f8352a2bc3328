"""Have a picture decoded by a child that may die of it."""

import contextlib
import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from common.errors import Unavailable
from common.images.child import LENGTHS, wish_message
from common.images.errors import ImageRefused
from common.images.parts import RenderedImage, RenderWish, Rendition

log = logging.getLogger(__name__)

_ROOT = str(Path(__file__).resolve().parents[2])
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from common.images.child import serve; serve()"
_PIECE_BYTES = 1024 * 1024
_MESSAGES = {
    "image_too_costly": "Decoding the picture takes more memory or time than we give",
    "image_crashed": "The decoder crashed on the picture",
}


class _ChildGone(Exception):
    """The child ended by itself, or was ended."""


class ImageChild:
    """One child process, started when first needed and again when lost. Safe for threads; not shared over a fork."""

    def __init__(self, boot: str = _BOOT) -> None:
        self._boot = boot
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def render(
        self, content: bytes, wish: RenderWish, *, max_seconds: int, max_memory_bytes: int, max_cpu_seconds: int
    ) -> RenderedImage:
        """Raises ImageRefused; Unavailable when no child can be started."""
        limits = {"memory_bytes": max_memory_bytes, "cpu_seconds": max_cpu_seconds, "seconds": max_seconds}
        message = wish_message(wish, content, limits)
        with self._lock:
            for is_last in (False, True):
                process = self._started()
                try:
                    head, body = self._exchange(process, message, time.monotonic() + max_seconds)
                    break
                except TimeoutError:
                    self._end(process)
                    raise ImageRefused(_MESSAGES["image_too_costly"], code="image_too_costly") from None
                except BaseException as error:
                    self._end(process)  # what is left in its pipes belongs to nobody
                    if not isinstance(error, (_ChildGone, BrokenPipeError)):
                        raise
                    if is_last:
                        raise ImageRefused(_MESSAGES["image_crashed"], code="image_crashed") from error
        if "failed" in head:
            raise ImageRefused(_MESSAGES[head["failed"]], code=head["failed"])
        if "refused" in head:
            raise ImageRefused(head["message"], code=head["refused"])
        return _rendered(head, body)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._owner == os.getpid() and self._process.poll() is None:
            return self._process
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", self._boot, _ROOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={"PATH": os.defpath},  # nothing of ours is worth stealing there
                start_new_session=True,
            )
        except OSError as error:
            raise Unavailable("The process that decodes pictures cannot be started") from error
        self._owner = os.getpid()
        for stream in (self._process.stdin, self._process.stdout):
            os.set_blocking(stream.fileno(), False)  # type: ignore[union-attr]
        return self._process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]
        self._process = None

    def close(self) -> None:
        with self._lock:
            if self._process is not None and self._owner == os.getpid():
                self._end(self._process)

    def _exchange(self, process: subprocess.Popen[bytes], message: bytes, deadline: float) -> tuple[dict, bytes]:
        """Raises TimeoutError, _ChildGone, BrokenPipeError."""
        unsent = memoryview(message)
        received = bytearray()
        wanted = LENGTHS.size
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdin, selectors.EVENT_WRITE)  # type: ignore[arg-type]
            ready.register(process.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]
            while len(received) < wanted:
                events = ready.select(deadline - time.monotonic())
                if not events:
                    if time.monotonic() >= deadline:
                        raise TimeoutError
                    continue
                for key, _ in events:
                    if key.fileobj is process.stdin:
                        unsent = unsent[os.write(key.fd, unsent[:_PIECE_BYTES]) :]
                        if not unsent:
                            ready.unregister(key.fileobj)
                        continue
                    piece = os.read(key.fd, _PIECE_BYTES)
                    if not piece:
                        raise _ChildGone
                    received += piece
                if wanted == LENGTHS.size and len(received) >= wanted:
                    wanted += sum(LENGTHS.unpack_from(received))
        head_bytes, _ = LENGTHS.unpack_from(received)
        body_at = LENGTHS.size + head_bytes
        return json.loads(received[LENGTHS.size : body_at]), bytes(received[body_at:])


def _rendered(head: dict, body: bytes) -> RenderedImage:
    pieces, start = [], 0
    for length in head["lengths"]:
        pieces.append(body[start : start + length])
        start += length
    renditions = tuple(
        Rendition(**size, content=piece) for size, piece in zip(head["renditions"], pieces[:-1], strict=True)
    )
    return RenderedImage(renditions=renditions, original=pieces[-1] if head["has_original"] else None, **head["facts"])


_child = ImageChild()


def render_guarded(
    content: bytes,
    wish: RenderWish,
    *,
    max_seconds: int = 15,
    max_memory_bytes: int = 1024 * 1024 * 1024,
    max_cpu_seconds: int = 10,
) -> RenderedImage:
    """What `rendering.render` makes, made in this process's child under limits. Raises ImageRefused, Unavailable."""
    return _child.render(
        content, wish, max_seconds=max_seconds, max_memory_bytes=max_memory_bytes, max_cpu_seconds=max_cpu_seconds
    )
