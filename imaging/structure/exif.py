"""Read and write the orientation of EXIF."""

import struct

_ORIENTATION = 0x0112
_SHORT = 3
_UPRIGHT = 1
_BYTE_ORDERS = {b"II*\x00": "<", b"MM\x00*": ">"}


def read_orientation(tiff: bytes) -> int:
    """Return the orientation (1 to 8) of an EXIF TIFF block, or 1 if it is absent or the block is invalid."""
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return _UPRIGHT
    (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
    if directory + 2 > len(tiff):
        return _UPRIGHT
    (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
    for at in range(directory + 2, directory + 2 + entries * 12, 12):
        if at + 12 > len(tiff):
            return _UPRIGHT
        tag, kind, count, value = struct.unpack_from(f"{order}HHIH", tiff, at)
        if tag == _ORIENTATION:
            return value if kind == _SHORT and count == 1 and 1 <= value <= 8 else _UPRIGHT
    return _UPRIGHT


def orientation_block(orientation: int) -> bytes:
    """Return a TIFF block with only the orientation."""
    return b"MM\x00*\x00\x00\x00\x08" + struct.pack(">HHHIHHI", 1, _ORIENTATION, _SHORT, 1, orientation, 0, 0)
