"""Other programs we stand on: database, Valkey/Redis, the queue, file storage."""

import os
from pathlib import Path

import environ
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ValkeyConnectionError
from redis.retry import Retry

env = environ.Env()
environ.Env.read_env(Path(__file__).resolve().parents[2] / ".env", overwrite=False)
_base_dir = Path(__file__).resolve().parents[2]

DATABASES = {"default": env.db_url("DATABASE_URL", engine="config.postgresql")}
DATABASES["default"].setdefault("OPTIONS", {})
# Web workers have one thread and Celery workers one task at a time, so each process keeps one connection. A pool is for
# servers with many threads.
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONNECTION_SECONDS", default=60)
if env.bool("DATABASE_POOL", default=False):
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 0,
        "max_size": env.int("DATABASE_POOL_SIZE", default=8),
        "timeout": 5,
    }

# Limits of database calls. A server that does not respond at all is noticed within `connect_seconds` + 0.4 s by all.
# None means no limit. A shorter limit of one transaction is set where it is needed, e.g. JOBS_LOCK_TIMEOUT_MS.
DATABASE_TIME_LIMITS = {
    "request": {
        "connect_seconds": env.float("DATABASE_CONNECT_SECONDS", default=1.0),
        "statement_seconds": env.int("DATABASE_STATEMENT_SECONDS", default=15),
        "lock_seconds": env.int("DATABASE_LOCK_SECONDS", default=5),
        "idle_transaction_seconds": 60,
    },
    # The longest task: the purge of bug reports. Tasks have time limits of their own.
    "task": {"connect_seconds": 10.0, "statement_seconds": 300, "lock_seconds": 30, "idle_transaction_seconds": 600},
    # Migrations, imports, counts of large tables; also the shell.
    "command": {
        "connect_seconds": 10.0, "statement_seconds": None, "lock_seconds": None, "idle_transaction_seconds": None,
    },
}  # fmt: skip
# psycopg prepares no statement by itself; this value allows `common.prepared_statements` to do so.
if env.bool("DATABASE_PREPARED_STATEMENTS", default=True):
    DATABASES["default"]["OPTIONS"]["prepare_threshold"] = 1_000_000_000

REDIS_URL = env.str("REDIS_URL")
# Requests work without Valkey, so they wait for it only this long.
VALKEY_CONNECTION_OPTIONS = {
    "socket_connect_timeout": 0.25,
    "socket_timeout": 0.25,
    # An idle connection may be closed. A server that did not respond in time is not called again.
    "retry": Retry(NoBackoff(), 1, supported_errors=(ValkeyConnectionError,)),
}
CACHES = {
    "default": {
        "BACKEND": "config.cache.ValkeyCache",
        "LOCATION": REDIS_URL + ("?db=1" if REDIS_URL.startswith("unix") else "/1"),
        "KEY_PREFIX": env.str("CACHE_KEY_PREFIX", default="nna"),
        "OPTIONS": VALKEY_CONNECTION_OPTIONS,
    }
}

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = env.int("CELERY_TASK_SOFT_LIMIT_SECONDS", default=300)
CELERY_TASK_TIME_LIMIT = env.int("CELERY_TASK_HARD_LIMIT_SECONDS", default=360)
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# A request does not wait for an unavailable broker: a scheduled task finds the rows of lost messages.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
# Also for workers and beat, whose calls would else wait for a frozen server as long as it is frozen.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 1}
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for the end of an outage

# Mail: smtp://user:password@host:port, consolemail:// to print it, dummymail:// to drop it.
_email = env.email_url("EMAIL_URL", default="smtp://localhost:25")
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST = _email["EMAIL_HOST"]
EMAIL_PORT = _email["EMAIL_PORT"]
EMAIL_HOST_USER = _email["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"]
EMAIL_FILE_PATH = _email["EMAIL_FILE_PATH"]
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="registry@localhost")
EMAIL_TIMEOUT = 10

# Requests to other hosts (`outbound`). Production does not start with the first three.
OUTBOUND_ALLOW_HTTP = env.bool("OUTBOUND_ALLOW_HTTP", default=False)
OUTBOUND_ALLOW_LOOPBACK = env.bool("OUTBOUND_ALLOW_LOOPBACK", default=False)
OUTBOUND_ALLOWED_PORTS = [443, 80, *env.list("OUTBOUND_ALLOWED_PORTS", cast=int, default=[])]
OUTBOUND_USER_AGENT = env.str("OUTBOUND_USER_AGENT", default="NNA-Asset-Registry/1.0")
OUTBOUND_CA_BUNDLE = env.str("OUTBOUND_CA_BUNDLE", default="")

# The development stack: `manage.py run_stack`.
STACK_DIR = Path(env.str("STACK_DIR", default=str(_base_dir / "var")))
STACK_HOST = env.str("HOST", default="127.0.0.1")
STACK_PORT = env.int("PORT", default=8000)
STACK_WEB_WORKERS = env.int("WEB_WORKERS", default=min(os.cpu_count() or 1, 2))
STACK_LOADS_DEMO = env.bool("DEMO", default=True)

# Media: "files" stores and serves them below MEDIA_ROOT, "gcs" uses a Google Cloud Storage bucket.
MEDIA_STORAGE = env.str("MEDIA_STORAGE", default="files")
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(_base_dir / "var" / "media"))
MEDIA_URL = "/media/"
# Files without public URLs; views check the permissions of the user.
PRIVATE_MEDIA_ROOT = env.str("PRIVATE_MEDIA_ROOT", default=str(_base_dir / "var" / "private"))
GCS_BUCKET = env.str("GCS_BUCKET", default="")
GCS_PROJECT = env.str("GCS_PROJECT", default="")
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL", default=f"http://127.0.0.1:{STACK_PORT}").rstrip("/")
# Base URL of media; absolute, because legacy clients do not resolve relative URLs.
MEDIA_PUBLIC_URL = env.str(
    "MEDIA_PUBLIC_URL",
    default=f"https://storage.googleapis.com/{GCS_BUCKET}/" if MEDIA_STORAGE == "gcs" else f"{PUBLIC_BASE_URL}/media/",
)
if MEDIA_STORAGE == "gcs":
    _media = {
        "BACKEND": "config.cloud_storage.WriteOnceCloudStorage",
        "OPTIONS": {
            "bucket_name": GCS_BUCKET,
            "project_id": GCS_PROJECT or None,
            "querystring_auth": False,
            "file_overwrite": False,
            "blob_chunk_size": 8 * 1024 * 1024,
            "object_parameters": {"cache_control": "public, max-age=31536000, immutable"},
        },
    }
    _private = {
        "BACKEND": "config.cloud_storage.WriteOnceCloudStorage",
        "OPTIONS": {
            "bucket_name": env.str("GCS_PRIVATE_BUCKET", default="") or f"{GCS_BUCKET}-private",
            "project_id": GCS_PROJECT or None,
            "file_overwrite": False,
            "object_parameters": {"cache_control": "private, no-store"},
        },
    }
else:
    _media = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": MEDIA_ROOT, "base_url": MEDIA_URL},
    }
    _private = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": PRIVATE_MEDIA_ROOT, "base_url": None, "file_permissions_mode": 0o600},
    }
STORAGES = {
    "default": _media,
    "private": _private,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
