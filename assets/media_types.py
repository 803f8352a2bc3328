"""Media types of files, detected from their bytes, and the types that each layer accepts. Pure.

The table follows the frontend's lists per layer, which accept any audio, image or video subtype.
"""

import json
from dataclasses import dataclass
from pathlib import PurePosixPath

import puremagic

from assets.errors import MediaTypeNotAllowed

HEAD_BYTES = 8192  # enough for all known signatures

# The signatures that nothing else starts with, of the most frequent uploads: puremagic compares all that it knows.
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
# Other names of a type -> the name that is stored.
_SYNONYMS = {
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "audio/x-mp3": "audio/mpeg",
    "audio/x-flac": "audio/flac",
    "application/ogg": "audio/ogg",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "audio/x-aac": "audio/aac",
    "image/jpg": "image/jpeg",
    "video/x-m4v": "video/mp4",
    "video/x-webm": "video/webm",
}
_EXTENSIONS = {
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/png": ("png", "apng"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/svg+xml": ("svg",),
    "audio/mpeg": ("mp3", "mpga"),
    "audio/wav": ("wav",),
    "audio/ogg": ("ogg", "oga", "opus"),
    "audio/flac": ("flac",),
    "audio/aac": ("aac",),
    "audio/mp4": ("m4a", "mp4"),
    "video/mp4": ("mp4", "m4v"),
    "video/webm": ("webm",),
    "video/ogg": ("ogv", "ogg"),
    "video/quicktime": ("mov", "qt"),
    "model/gltf-binary": ("glb",),
    "model/gltf+json": ("gltf",),
    "application/json": ("json",),
}
_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/svg+xml"})
_VIDEOS = frozenset({"video/mp4", "video/webm", "video/quicktime", "video/ogg"})
_AUDIO = frozenset({"audio/mpeg", "audio/wav", "audio/ogg", "audio/flac", "audio/aac", "audio/mp4"})
_MODELS = frozenset({"model/gltf-binary", "model/gltf+json"})
_JSON = frozenset({"application/json"})

_TEXTS = _JSON | {"image/svg+xml", "model/gltf+json"}

TYPES_BY_LAYER: dict[str, frozenset[str]] = {
    "G": _AUDIO,
    "S": _IMAGES,
    "L": _IMAGES,
    "M": _VIDEOS | _JSON,
    "W": _IMAGES | _VIDEOS | _JSON | _MODELS,
    "B": _IMAGES | {"video/mp4", "video/webm"},
    **dict.fromkeys("CPTR", _VIDEOS | _AUDIO | _IMAGES | _JSON),
}


@dataclass(frozen=True)
class MediaType:
    """`mime_type` is detected from the bytes; `extension` is that of the stored file: lower case, no dot."""

    mime_type: str
    extension: str


def sniff_mime_type(head: bytes) -> str:
    """Return the type that the first bytes show, under its stored name if it has one; "" if unknown."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _base_media_type(head[8:12])
    if head[:4] == b"\x1aE\xdf\xa3":
        return "video/webm"
    if head[:4] == b"OggS":
        return "video/ogg" if b"\x80theora" in head[:512] else "audio/ogg"
    if head[:4] == b"glTF":
        return "model/gltf-binary"
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        return "audio/mpeg"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "audio/aac"
    text_type = _text_type(head)
    if text_type:
        return text_type
    for signature, name in _SIGNATURES.items():
        if head.startswith(signature):
            return name
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return ""
    names = [_SYNONYMS.get(match.mime_type, match.mime_type) for match in found]
    names = [name for name in names if name not in _TEXTS]  # `_text_type` decides for those
    return next((name for name in names if name in _EXTENSIONS), names[0] if names else "")


def _base_media_type(brand: bytes) -> str:
    """Return the type of an ISO base media file (video, audio only, QuickTime) by its brand."""
    if brand == b"qt  ":
        return "video/quicktime"
    return "audio/mp4" if brand in (b"M4A ", b"M4B ", b"M4P ") else "video/mp4"


def _text_type(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] == b"<":
        return "image/svg+xml" if b"<svg" in text[:4096].lower() and b"<html" not in text[:4096].lower() else ""
    if text[:1] in (b"{", b"["):
        try:
            text.decode()
        except UnicodeDecodeError as error:
            if error.start < len(text) - 4:  # HEAD_BYTES may cut the last character
                return ""
        return "model/gltf+json" if b'"asset"' in text and b'"scenes"' in text else "application/json"
    return ""


def validate_media(*, layer: str, filename: str, head: bytes, is_whole: bool, is_enforced: bool) -> MediaType:
    """Return the type of an upload. Raises MediaTypeNotAllowed, naming `file`, if the layer does not accept it.

    `head` contains the first HEAD_BYTES of the file; `is_whole` is True if the file is not longer. Without
    `is_enforced` all types pass, as on the legacy server.
    """
    extension = PurePosixPath(filename.replace("\\", "/")).suffix[1:].lower()
    if not (extension.isascii() and extension.isalnum() and len(extension) <= 5):
        extension = ""
    mime_type = sniff_mime_type(head)
    if is_whole and mime_type == "application/json" and not _is_json(head):
        mime_type = ""
    if not is_enforced:
        return MediaType(mime_type or "application/octet-stream", extension or _EXTENSIONS.get(mime_type, ("bin",))[0])
    shown = mime_type or "of an unknown type"
    if mime_type not in TYPES_BY_LAYER[layer]:
        raise MediaTypeNotAllowed(f"file is {shown}; layer {layer} does not take that", field="file")
    if not extension:
        extension = _EXTENSIONS[mime_type][0]
    if extension not in _EXTENSIONS[mime_type]:
        raise MediaTypeNotAllowed(f"file is {shown}, which does not go with the extension .{extension}", field="file")
    return MediaType(mime_type, extension)


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
