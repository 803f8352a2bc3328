"""Results of scans: clean, infected and failed, with a test server and, if installed, with clamd."""

import hashlib
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_django import Settings

from albumart.errors import ArtworkInfected, Deferred, ScannerError
from albumart.pipeline.scan import CLEAN, NOT_SCANNED, scan_image
from tests.support.sample_images import make_cover

CLAMD = shutil.which("clamd") or ("/usr/sbin/clamd" if Path("/usr/sbin/clamd").exists() else None)
# In two halves, so that no scanner reports this file.
SIGNATURE = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@contextmanager
def peer(answer: bytes | None, *, after_bytes: int = 10**9) -> Iterator[tuple[str, list[bytes]]]:
    """Implement INSTREAM of clamd, close after `after_bytes`; yield the URL and the received streams."""
    streams: list[bytes] = []

    def read(line: socket.socket, count: int) -> bytes:
        received = b""
        while len(received) < count:
            piece = line.recv(count - len(received))
            if not piece:
                raise ConnectionError
            received += piece
        return received

    def serve() -> None:
        line, _ = listener.accept()
        with line:
            assert read(line, 10) == b"zINSTREAM\0"
            stream = b""
            while (size := struct.unpack("!I", read(line, 4))[0]) and len(stream) < after_bytes:
                stream += read(line, size)
            streams.append(stream)
            if answer is not None:
                line.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}", streams
        thread.join(5)


def test_without_a_scanner_the_result_is_not_scanned(settings: Settings) -> None:
    settings.ALBUMART_CLAMD_URL = ""
    assert scan_image(b"anything") == NOT_SCANNED


def test_the_whole_stream_is_sent_and_ok_means_clean(settings: Settings) -> None:
    content = make_cover(900) * 3
    with peer(b"stream: OK\0") as (settings.ALBUMART_CLAMD_URL, streams):
        assert scan_image(content) == CLEAN
    assert streams == [content]


def test_a_signature_match_raises_artwork_infected_with_its_name(settings: Settings) -> None:
    with (
        peer(b"stream: Win.Test.EICAR_HDB-1 FOUND\0") as (settings.ALBUMART_CLAMD_URL, _),
        pytest.raises(ArtworkInfected, match=r"Win\.Test\.EICAR_HDB-1"),
    ):
        scan_image(b"x")


@pytest.mark.parametrize("answer", [b"INSTREAM size limit exceeded. ERROR\0", b"what\0"])
def test_any_other_response_is_a_scanner_error(answer: bytes, settings: Settings) -> None:
    with peer(answer, after_bytes=1) as (settings.ALBUMART_CLAMD_URL, _), pytest.raises(ScannerError):
        scan_image(b"x" * 70_000)


def test_no_response_is_never_clean(settings: Settings) -> None:
    with peer(None) as (settings.ALBUMART_CLAMD_URL, _), pytest.raises(ScannerError):
        scan_image(b"x")
    settings.ALBUMART_CLAMD_URL = "unix:///nowhere/clamd.sock"
    with pytest.raises(Deferred):
        scan_image(b"x")


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if CLAMD is None:
        pytest.skip("no clamd on this machine")
    folder = tmp_path_factory.mktemp("clamd")
    folder.chmod(0o755)
    (folder / "db").mkdir()
    (folder / "db" / "local.ndb").write_text(f"Test-Signature.Body:0:*:{SIGNATURE.hex()}\n")
    (folder / "db" / "local.hsb").write_text(f"{hashlib.sha256(b'whole').hexdigest()}:5:Test-Signature.Whole\n")
    settings = {
        "LocalSocket": folder / "clamd.sock", "DatabaseDirectory": folder / "db", "Foreground": "yes",
        "StreamMaxLength": "1M", "LogFile": folder / "log",
    }  # fmt: skip
    (folder / "clamd.conf").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    process = subprocess.Popen([CLAMD, "-c", str(folder / "clamd.conf")], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not (folder / "clamd.sock").exists():
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield f"unix://{folder}/clamd.sock"
    finally:
        process.terminate()
        process.wait(10)


def test_clamd_detects_a_test_signature(clamd: str, settings: Settings) -> None:
    settings.ALBUMART_CLAMD_URL = clamd
    assert scan_image(make_cover()) == CLEAN
    with pytest.raises(ArtworkInfected, match="Test-Signature"):
        scan_image(make_cover() + SIGNATURE)
    with pytest.raises(ScannerError):
        scan_image(bytes(3 * 1024 * 1024))
