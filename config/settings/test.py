"""Tests: real servers, media in memory, no throttling."""

import os

from config.settings.embedded import configure_embedded_servers

configure_embedded_servers()

from config.settings.base import *  # noqa: E402, F403
from config.settings.base import (  # noqa: E402
    CACHES,
    CELERY_BROKER_TRANSPORT_OPTIONS,
    CORS_ALLOWED_ORIGINS,
    DATABASES,
    INSTALLED_APPS,
    REST_FRAMEWORK,
    STORAGES,
)

ENVIRONMENT_NAME = "test"
INSTALLED_APPS = [*INSTALLED_APPS, "devstack"]
SECRET_KEY = "test-secret-key-of-no-value-outside-the-test-suite"  # noqa: S105
ACCOUNTS_SIGNING_KEY = "test-signing-key-of-no-value-outside-the-test-suite"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
CORS_ALLOWED_ORIGINS = [*CORS_ALLOWED_ORIGINS, "http://localhost:3000", "http://localhost:3001"]
DATABASES["default"]["OPTIONS"].pop("pool", None)  # tests open and close their own connections
# Separate prefixes, because test processes share the servers with each other and with a running registry.
_prefix = "test" + os.environ.get("PYTEST_XDIST_WORKER", "")
CACHES["default"]["KEY_PREFIX"] += f"-{_prefix}"
CELERY_BROKER_TRANSPORT_OPTIONS = CELERY_BROKER_TRANSPORT_OPTIONS | {"global_keyprefix": f"{_prefix}-"}
PUBLIC_BASE_URL = "http://testserver"
MEDIA_PUBLIC_URL = "http://testserver/media/"
STORAGES = STORAGES | {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage", "OPTIONS": {"base_url": "/media/"}},
    "private": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
JOBS_MIN_REQUESTS = 10**9  # response times of tests must not throttle runs
JOBS_MAX_QUEUE_SECONDS = 86_400.0  # tests leave messages in the queue
WHITENOISE_USE_FINDERS = True  # serve static files without collectstatic
STATIC_ROOT = None
REST_FRAMEWORK = REST_FRAMEWORK | {
    "DEFAULT_THROTTLE_RATES": dict.fromkeys(
        ("login", "login_email", "register", "bug_reports", "bug_reports_day", "bug_reports_all"), "1000/min"
    )
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", "django.contrib.auth.hashers.Argon2PasswordHasher"]
