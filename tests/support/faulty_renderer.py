"""A renderer for the sandbox that fails in the way the content names, and otherwise renders."""

import json
import os
import signal
import sys
import time
from dataclasses import replace

from imaging import rendering
from imaging.renditions import RenderedImage, RenderSpec
from tests.support.sample_images import make_flat_png


def warm_up() -> None:
    rendering.warm_up()


def render(content: bytes, spec: RenderSpec) -> RenderedImage:
    match content:
        case b"segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case b"hang":
            time.sleep(3600)
        case b"spin":
            while True:
                pass
        case b"eat memory":
            return bytearray(8 * 1024**3)
        case b"exit":
            os._exit(3)
        case b"internal error":
            raise RuntimeError("not foreseen")
        case b"kill the child":
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(3600)
        case b"what do you know":
            report = {"environment": dict(os.environ), "modules": [name for name in sys.modules if "django" in name]}
            return replace(rendering.render(make_flat_png(4, 4), spec), blurhash=json.dumps(report))
    return rendering.render(content, spec)
