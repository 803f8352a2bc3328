from benchmarks.drawing import QUALITY, SIDES_PX
from imaging.rendering import render
from imaging.renditions import RenderWish


def draw(content: bytes) -> bytes:
    return render(content, RenderWish(sides_px=SIDES_PX, quality=QUALITY)).renditions[0].content
