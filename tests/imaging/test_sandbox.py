"""An image that crashes or blocks the decoder affects neither the next image nor this process."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from common.errors import Unavailable
from imaging.errors import ImageRejected
from imaging.renditions import RenderSpec
from imaging.sandbox import SandboxProcess, render_in_sandbox
from tests.support.sample_images import make_flat_png, make_picture
from tests.support.source_tree import ROOT

WISH = RenderSpec(sides_px=(50,))
PICTURE = make_picture()


@pytest.fixture
def child() -> Iterator[SandboxProcess]:
    child = SandboxProcess(renderer="tests.support.faulty_renderer")
    yield child
    child.close()


def error_of(child: SandboxProcess, content: bytes, **bounds: float) -> str:
    with pytest.raises(ImageRejected) as refused:
        child.render(content, WISH, **bounds)
    return refused.value.code


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(status.strip()) and not status.startswith("Z")


def ends_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not is_running(pid):
            return True
        time.sleep(0.02)
    return False


def test_one_child_process_renders_all_requests() -> None:
    delay = RenderSpec(sides_px=(80, 20), reencode_original=True)
    rendered = render_in_sandbox(PICTURE, delay)
    assert [(one.side_px, one.width, one.content[:2]) for one in rendered.renditions] == [
        (80, 80, b"\xff\xd8"),
        (20, 20, b"\xff\xd8"),
    ]
    assert rendered.original
    assert rendered.original.startswith(b"\xff\xd8")
    assert (rendered.width, rendered.height) == (96, 64)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"segfault", "image_crashed"),
        (b"exit", "image_crashed"),
        (b"internal error", "image_crashed"),
        (b"eat memory", "image_too_costly"),
        (b"GIF89a", "format_not_accepted"),
        (PICTURE[:-100], "image_truncated"),
    ],
)
def test_a_rejected_image_does_not_end_the_child_process(child: SandboxProcess, content: bytes, code: str) -> None:
    child.render(PICTURE, WISH)
    before = child.pid
    assert error_of(child, content) == code
    assert child.render(PICTURE, WISH).renditions
    assert child.pid == before


def test_the_limit_of_cpu_time_stops_an_image(child: SandboxProcess) -> None:
    child.render(PICTURE, WISH)
    before = child.pid
    assert error_of(child, b"spin", max_cpu_seconds=1) == "image_too_costly"
    assert child.pid == before


def test_a_timeout_kills_the_child_process(child: SandboxProcess) -> None:
    child.render(PICTURE, WISH)
    before = child.pid
    started = time.monotonic()
    assert error_of(child, b"hang", max_seconds=0.3) == "image_too_costly"
    assert time.monotonic() - started < 2
    assert not is_running(before)
    assert child.render(PICTURE, WISH).renditions
    assert child.pid != before


def test_a_killed_child_process_is_unavailable_and_replaced(child: SandboxProcess) -> None:
    with pytest.raises(Unavailable):
        child.render(b"kill the child", WISH)
    assert child.render(PICTURE, WISH).renditions
    os.kill(child.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert child.render(PICTURE, WISH).renditions


def test_a_child_process_that_does_not_start_does_not_reject_the_image() -> None:
    with pytest.raises(Unavailable):
        SandboxProcess(renderer="tests.support.no_such_module").render(PICTURE, WISH)


def test_the_child_process_has_no_secrets_and_no_django(child: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")
    told = json.loads(child.render(b"what do you know", WISH).blurhash)
    assert set(told["environment"]) <= {"PATH", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    assert told["modules"] == []


def test_the_memory_of_the_parent_stays_flat(child: SandboxProcess) -> None:
    large = make_picture("PNG", 1500, 1500) + bytes(4_000_000)
    child.render(large, WISH)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(8):
        child.render(large, WISH)
        assert error_of(child, b"eat memory") == "image_too_costly"
        assert error_of(child, make_flat_png(30_000, 300)) == "image_shape"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 20 * (1024 if sys.platform == "linux" else 1024 * 1024)


def test_threads_use_the_child_process_one_at_a_time(child: SandboxProcess) -> None:
    drawn: list[int] = []

    def draw(side: int) -> None:
        drawn.append(child.render(PICTURE, RenderSpec(sides_px=(side,))).renditions[0].width - side)

    threads = [threading.Thread(target=draw, args=(side,)) for side in range(20, 32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawn == [0] * 12


def test_a_forked_process_starts_its_own_child_process(child: SandboxProcess) -> None:
    child.render(PICTURE, WISH)
    ours = child.pid
    result, report = os.pipe()
    fork = os.fork()
    if fork == 0:
        had_none = child.pid is None
        child.render(PICTURE, WISH)
        os.write(report, json.dumps([had_none, child.pid]).encode())
        child.close()
        os._exit(0)
    os.waitpid(fork, 0)
    had_none, theirs = json.loads(os.read(result, 100))
    assert had_none
    assert theirs != ours
    assert child.render(PICTURE, WISH).renditions
    assert child.pid == ours


_WORKER = """
import os, sys, threading, time
sys.path.insert(0, sys.argv[1])
from imaging.sandbox import SandboxProcess
from imaging.renditions import RenderSpec
from tests.support.sample_images import make_picture
child = SandboxProcess(renderer="tests.support.faulty_renderer")
child.render(make_picture(), RenderSpec(sides_px=(50,)))
print(child.pid, flush=True)
if sys.argv[2] == "working":
    child.render(b"hang", RenderSpec(), max_seconds=600)
if sys.argv[2] == "with a fork" and os.fork() == 0:
    time.sleep(600)
time.sleep(600)
"""


@pytest.mark.parametrize("state", ["idle", "working", "with a fork"])
def test_the_child_process_ends_with_its_parent(state: str) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", _WORKER, str(ROOT), state], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert worker.stdout
    child = int(worker.stdout.readline())
    try:
        time.sleep(0.3)
        assert is_running(child)
        os.kill(worker.pid, signal.SIGKILL)
        assert ends_within(child, 3)
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
