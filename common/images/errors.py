"""Why a picture is not taken."""

from common.errors import Invalid


class ImageRefused(Invalid):
    """Codes: format_not_accepted, image_truncated, image_polyglot, image_too_many_pixels, image_shape, image_broken
    (a decoder says no), image_too_costly (memory, CPU or time ran out), image_crashed (the decoder died)."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


def truncated(what: str) -> ImageRefused:
    return ImageRefused(f"The picture is cut off: {what}", code="image_truncated")


def broken(what: str) -> ImageRefused:
    return ImageRefused(f"The picture is damaged: {what}", code="image_broken")
