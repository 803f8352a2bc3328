from benchmarks.rendering import QUALITY, SIDES_PX
from imaging.rendering import render
from imaging.renditions import RenderSpec


def draw(content: bytes) -> bytes:
    return render(content, RenderSpec(sides_px=SIDES_PX, quality=QUALITY)).renditions[0].content
