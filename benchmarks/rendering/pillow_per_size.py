import io

from PIL import Image

from benchmarks.rendering import QUALITY, SIDES_PX


def draw(content: bytes) -> bytes:
    written = []
    for side in SIDES_PX:
        image = Image.open(io.BytesIO(content)).convert("RGB")
        target = io.BytesIO()
        image.resize((side, side), Image.Resampling.LANCZOS).save(target, "JPEG", quality=QUALITY)
        written.append(target.getvalue())
    return written[0]
