import pyvips

from benchmarks.rendering import QUALITY, SIDES_PX


def draw(content: bytes) -> bytes:
    larger = pyvips.Image.thumbnail_buffer(content, SIDES_PX[0], size="down").copy_memory()
    smaller = larger.thumbnail_image(SIDES_PX[1])
    written = [drawn.jpegsave_buffer(Q=QUALITY, keep="none") for drawn in (larger, smaller)]
    return written[0]
