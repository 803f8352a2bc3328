"""Re-encode screenshots in a sandbox and keep them in private storage."""

import base64
import binascii
import hashlib
import logging
import re
from datetime import datetime

from django.conf import settings
from django.core.files.storage import Storage, storages

from bugreports.errors import ScreenshotNotFound
from bugreports.models import BugReport, BugReportScreenshot
from common.content_addressed_storage import save_if_absent
from common.errors import InvalidInput, RegistryError, Unavailable
from imaging.renditions import RenderSpec
from imaging.sandbox import render_in_sandbox
from imaging.structure import ImageLimits

log = logging.getLogger(__name__)

FOLDER = "bug-reports"
_PREFIX = re.compile(r"data:([\w/+.-]{0,60})((?:;[\w=-]{1,60}){0,3}),", re.ASCII)
_CONTENT_TYPE = "image/jpeg"
_QUALITY = 90  # small letters stay readable


def private_storage() -> Storage:
    """Return the storage of files that only staff may read."""
    return storages["private"]


def screenshot_key(report_id: str) -> str:
    """Return the storage key, in a folder per day."""
    return f"{FOLDER}/{report_id[4:12]}/{report_id}.jpg"


def store_screenshot(
    sent: str | None, report_id: str, *, now: datetime
) -> tuple[BugReportScreenshot | None, str | None]:
    """Store the image. Return an unsaved row, or the reason why there is none."""
    if not sent:
        return None, None
    try:
        content = _decode(sent)
        image = render_in_sandbox(
            content,
            RenderSpec(
                sides_px=(200,),
                quality=_QUALITY,
                reencode_original=True,
                limits=ImageLimits(max_pixels=settings.BUGREPORTS_SCREENSHOT_MAX_PIXELS, max_side_px=20_000),
            ),
            max_seconds=settings.BUGREPORTS_SCREENSHOT_SECONDS,
        )
        encoded = image.original or b""
        key = screenshot_key(report_id)
        save_if_absent(key, encoded, content_type=_CONTENT_TYPE, storage=private_storage())
    except Unavailable as error:
        log.warning("screenshot not kept", extra={"report_id": report_id, "code": error.code})
        return None, "The screenshot could not be stored: the decoder or the storage did not respond"
    except RegistryError as error:
        return None, error.message
    return (
        BugReportScreenshot(
            key=key,
            content_type=_CONTENT_TYPE,
            sha256=hashlib.sha256(encoded).hexdigest(),
            size_bytes=len(encoded),
            width_px=image.width,
            height_px=image.height,
        ),
        None,
    )


def _decode(sent: str) -> bytes:
    """Decode base64 or a data URI. Raises InvalidInput."""
    match = _PREFIX.match(sent)
    if sent.startswith("data:") and (not match or ";base64" not in match[2]):
        raise InvalidInput("The screenshot is not in base64")
    text = sent[match.end() :] if match else sent
    max_bytes = settings.BUGREPORTS_SCREENSHOT_MAX_BYTES
    if len(text) > (max_bytes + 2) // 3 * 4:
        raise InvalidInput(f"The screenshot has more than {max_bytes} bytes")
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("The screenshot is not in base64") from error
    if len(content) > max_bytes:
        raise InvalidInput(f"The screenshot has more than {max_bytes} bytes")
    return content


def read_screenshot(report: BugReport) -> tuple[bytes, str]:
    """Return bytes and content type. Raises ScreenshotNotFound, Unavailable."""
    row = BugReportScreenshot.objects.filter(report=report).first()
    if row is None:
        raise ScreenshotNotFound(f"Bug report {report.report_id} has no screenshot")
    storage = private_storage()
    try:
        if not storage.exists(row.key):
            raise ScreenshotNotFound(f"The screenshot of {report.report_id} is no longer stored")
        with storage.open(row.key) as file:
            return file.read(), row.content_type
    except RegistryError:
        raise
    except Exception as error:  # storages raise different exceptions
        log.exception("screenshot not read", extra={"report_id": report.report_id})
        raise Unavailable("The file storage does not answer; try again") from error


def private_headers(report: BugReport) -> dict[str, str]:
    """Return headers that prevent caching and execution."""
    return {
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Content-Disposition": f'inline; filename="{report.report_id}.jpg"',
    }
