"""Make a picture smaller: as good as Lanczos over every pixel of it, at a fraction of the time.

JPEGs store brightness and colour apart, colour at half the size. So brightness is resampled with care and colour from
a picture already averaged; both ends being YCbCr, nothing is converted on the way. Figures: benchmarks/README.md.
"""

from PIL import Image, JpegImagePlugin

_LANCZOS, _BICUBIC = Image.Resampling.LANCZOS, Image.Resampling.BICUBIC
_GAP = 2  # how many times larger than wished a JPEG is decoded at least: 38 dB to a full Lanczos; with 1 it is 34
_COLOUR_GAP = 1.0  # the same for colour, which is halved in the result
_COLOUR_GAP_OF_FULL_JPEG = 0.7  # halved in the file too, and the decoder has not yet used up what 38 dB leave


def fit(size: tuple[int, int], longest_side_px: int) -> tuple[int, int]:
    """Width and height within a square of that side; never larger than `size`, never less than one pixel."""
    longest = max(size)
    if longest <= longest_side_px:
        return size
    width, height = (max(1, round(side * longest_side_px / longest)) for side in size)
    return width, height


def shrink_on_load(image: Image.Image, size: tuple[int, int]) -> None:
    """Have the decoder skip what `shrink` to `size` would throw away, and spare it the way from YCbCr to RGB."""
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        image.draft("YCbCr" if _is_stored_as_ycc(image) else None, (size[0] * _GAP, size[1] * _GAP))


def shrink(image: Image.Image, size: tuple[int, int], *, full_size: tuple[int, int]) -> Image.Image:
    """To `size`, in the same mode or YCbCr for RGB. `full_size` tells what the decoder has shrunk already."""
    if size == image.size:
        return image
    if image.mode == "L":
        return _resample(image, size, _LANCZOS)
    if image.mode == "CMYK":
        return image.resize(size, _LANCZOS)
    luma = image.getchannel(0) if image.mode == "YCbCr" else image.convert("L")
    gap = _COLOUR_GAP_OF_FULL_JPEG if image.mode == "YCbCr" and image.size == full_size else _COLOUR_GAP
    factor = max(
        (n for n in (4, 2) if image.width >= gap * n * size[0] and image.height >= gap * n * size[1]), default=1
    )
    averaged = image.reduce(factor) if factor > 1 else image
    colour = averaged if image.mode == "YCbCr" else averaged.convert("YCbCr")
    planes = (_resample(colour.getchannel(channel), size, _BICUBIC) for channel in (1, 2))
    return Image.merge("YCbCr", (_resample(luma, size, _LANCZOS), *planes))


def _is_stored_as_ycc(image: JpegImagePlugin.JpegImageFile) -> bool:
    """As libjpeg decides it; it cannot turn RGB into YCbCr, and few files store RGB."""
    if image.mode != "RGB":
        return False
    if "jfif" in image.info:
        return True
    if "adobe_transform" in image.info:
        return image.info["adobe_transform"] == 1
    return [layer[0] for layer in image.layer] == [1, 2, 3]


def _resample(plane: Image.Image, size: tuple[int, int], kernel: Image.Resampling) -> Image.Image:
    width, height = size
    turned = _resample_columns(plane, height, kernel).transpose(Image.Transpose.TRANSPOSE)
    return _resample_columns(turned, width, kernel).transpose(Image.Transpose.TRANSPOSE)


def _resample_columns(plane: Image.Image, height: int, kernel: Image.Resampling) -> Image.Image:
    """Four columns at a time, as if they were the four channels of one: Pillow resamples those at the price of two."""
    if height == plane.height:
        return plane
    columns = -(-plane.width // 4)
    padded = plane if plane.width == columns * 4 else plane.crop((0, 0, columns * 4, plane.height))
    packed = Image.frombuffer("CMYK", (columns, plane.height), padded.tobytes(), "raw", "CMYK", 0, 1)
    resampled = packed.resize((columns, height), kernel).tobytes()
    unpacked = Image.frombuffer("L", (columns * 4, height), resampled, "raw", "L", 0, 1)
    return unpacked if plane.width == columns * 4 else unpacked.crop((0, 0, plane.width, height))
