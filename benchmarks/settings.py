"""Settings of the deployed service. The benchmark sets the URLs of the servers."""

from config.settings.base import *  # noqa: F403
from config.settings.base import STORAGES

ENVIRONMENT_NAME = "test"
SECRET_KEY = "a-benchmark-holds-no-secrets-and-lives-for-a-minute-only"
ACCOUNTS_SIGNING_KEY = "a-benchmark-signs-tokens-for-itself-and-for-nobody-else-at-all"
ALLOWED_HOSTS = ["127.0.0.1"]
STATIC_ROOT = None
# Admin pages are measured without collected static files.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
