"""Settings of a worker that a test starts: the test settings, with media in a folder that both processes read."""

import os

from config.settings.test import *  # noqa: F403
from config.settings.test import STORAGES

STORAGES = STORAGES | {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": os.environ["MEDIA_ROOT"], "base_url": "/media/"},
    },
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": os.environ.get("PRIVATE_MEDIA_ROOT") or os.environ["MEDIA_ROOT"]},
    },
}
