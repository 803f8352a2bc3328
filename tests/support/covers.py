"""Small covers to be fetched and uploaded."""

import io

from PIL import Image, ImageDraw


def make_cover(side: int = 640, *, colour: str = "teal", form: str = "JPEG", **options: object) -> bytes:
    """A square picture with enough in it not to count as blank."""
    picture = Image.new("RGB", (side, side), colour)
    draw = ImageDraw.Draw(picture)
    for step in range(0, side, max(side // 16, 1)):
        draw.ellipse((step // 2, step // 3, step, side - step // 2), outline="white", width=3)
        draw.line((0, step, side, side - step), fill="orange", width=2)
    content = io.BytesIO()
    picture.save(content, form, **({"quality": 90} if form == "JPEG" else {}) | options)
    return content.getvalue()
