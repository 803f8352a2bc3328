"""Why a picture is not taken."""

from common.errors import InvalidInput


class ImageRejected(InvalidInput):
    """This picture is not taken, now or later. `code` says which rule it broke, the message is for staff.

    format_not_accepted, image_truncated, image_polyglot, image_too_many_pixels, image_shape: seen in its structure;
    image_broken: the decoder's word; image_too_costly: memory, CPU time or time ran out, or would; image_crashed: the
    decoder died of it.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
