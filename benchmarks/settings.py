"""The service as it is deployed, with two yardsticks beside it. Addresses of servers come from the runner."""

from config.settings.base import *  # noqa: F403
from config.settings.base import STORAGES

ENVIRONMENT_NAME = "test"
SECRET_KEY = "a-benchmark-holds-no-secrets-and-lives-for-a-minute-only"
ACCOUNTS_SIGNING_KEY = "a-benchmark-signs-tokens-for-itself-and-for-nobody-else-at-all"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.urls"
STATIC_ROOT = None
# Pages of the admin are measured, too; nothing is collected for them.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
