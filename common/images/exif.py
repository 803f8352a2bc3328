"""The one thing of EXIF that matters to a picture: which way up it is. Pure."""

import struct

_ORIENTATION = 0x0112
_SHORT = 3
HEADER = b"Exif\0\0"


def read_orientation(tiff: bytes) -> int:
    """1 to 8 from a TIFF block; 1 for anything that does not parse: bad EXIF says nothing about the picture."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        magic, offset = struct.unpack_from(f"{order}HI", tiff, 2)
        if magic != 42:
            return 1
        (count,) = struct.unpack_from(f"{order}H", tiff, offset)
        for entry in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, offset + 2 + 12 * entry)
            if tag == _ORIENTATION:
                return value if kind == _SHORT and 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


def orientation_block(orientation: int) -> bytes:
    """A TIFF block that holds nothing but the orientation."""
    return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, _ORIENTATION, _SHORT, 1, orientation, 0, 0)
