"""Development: embedded servers, public keys, error pages with source. Never use it on a public network."""

from config.settings.embedded import configure_embedded_servers

configure_embedded_servers()

from config.settings.base import *  # noqa: E402, F403
from config.settings.base import CORS_ALLOWED_ORIGINS, INSTALLED_APPS, STORAGES, env  # noqa: E402

ENVIRONMENT_NAME = "development"
INSTALLED_APPS = [*INSTALLED_APPS, "devstack"]
DEBUG = env.bool("DEBUG", default=True)
SECRET_KEY = env.str("SECRET_KEY", default="development-only-secret-key-never-used-on-a-server")
ACCOUNTS_SIGNING_KEY = env.str("ACCOUNTS_SIGNING_KEY", default="development-only-signing-key-never-used-on-a-server")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CORS_ALLOWED_ORIGINS = [*CORS_ALLOWED_ORIGINS, "http://localhost:3000", "http://localhost:3001"]
WHITENOISE_USE_FINDERS = True  # serve static files without collectstatic
STATIC_ROOT = None
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
FLAGS_REASON_REQUIRED = env.bool("FLAGS_REASON_REQUIRED", default=False)
