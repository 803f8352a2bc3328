"""Errors of images."""

from common.errors import InvalidInput


class ImageRejected(InvalidInput):
    """The image is not accepted; a retry fails again. The message is for staff.

    Codes from the structure: format_not_accepted, image_truncated, image_polyglot, image_too_many_pixels, image_shape.
    Codes from decoding: image_broken (invalid data), image_too_costly (memory or time), image_crashed (a crash).
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
