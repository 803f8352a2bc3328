import pyvips

from benchmarks.rendering import QUALITY, SIDES_PX


def draw(content: bytes) -> bytes:
    written = []
    for side in SIDES_PX:
        drawn = pyvips.Image.thumbnail_buffer(content, side, size="down")
        written.append(drawn.jpegsave_buffer(Q=QUALITY, keep="none"))
    return written[0]
