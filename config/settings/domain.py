"""Tunable limits of the apps. Names start with the app and contain the unit."""

import environ

env = environ.Env()

ACCOUNTS_TOKEN_LIFETIME_SECONDS = env.int("ACCOUNTS_TOKEN_LIFETIME_SECONDS", default=86_400)  # 24 h, as in the contract
# Seconds a deactivated user's cached permissions stay valid for reads.
ACCOUNTS_USER_CACHE_SECONDS = env.int("ACCOUNTS_USER_CACHE_SECONDS", default=15)
ACCOUNTS_SIGNING_KEY = env.str("ACCOUNTS_SIGNING_KEY", default="")

# Hosts of album art, in addition to the sources in the admin; ".example.org" includes subdomains.
ALBUMART_ALLOWED_HOSTS = env.list("ALBUMART_ALLOWED_HOSTS", default=[])
ALBUMART_RENDITION_SIZES_PX = (500, 150)  # longest sides; clients show the first
ALBUMART_ITUNES_SIDE_PX = env.int("ALBUMART_ITUNES_SIDE_PX", default=1200)
ALBUMART_MAX_BYTES = env.int("ALBUMART_MAX_BYTES", default=10 * 1024 * 1024)
ALBUMART_MAX_PIXELS = env.int("ALBUMART_MAX_PIXELS", default=40_000_000)  # times frames
ALBUMART_MAX_SIDE_PX = 12_000
ALBUMART_CONNECT_TIMEOUT_SECONDS = 2.0
ALBUMART_FIRST_BYTE_TIMEOUT_SECONDS = 5.0
ALBUMART_FETCH_TIMEOUT_SECONDS = 20.0
ALBUMART_DECODE_TIMEOUT_SECONDS = env.int("ALBUMART_DECODE_TIMEOUT_SECONDS", default=15)
ALBUMART_DECODE_MEMORY_BYTES = env.int("ALBUMART_DECODE_MEMORY_BYTES", default=1024 * 1024 * 1024)
# URL of the virus scanner: tcp://host:port or unix:///path; empty disables scanning.
ALBUMART_CLAMD_URL = env.str("ALBUMART_CLAMD_URL", default="")
ALBUMART_CLAMD_TIMEOUT_SECONDS = 20.0
ALBUMART_MAX_ATTEMPTS = env.int("ALBUMART_MAX_ATTEMPTS", default=5)
ALBUMART_RETRY_SECONDS = env.float("ALBUMART_RETRY_SECONDS", default=5.0)  # times 4 after each failure
# A worker with an older claim counts as dead: the hard limit of the task is 90 s.
ALBUMART_LEASE_SECONDS = env.int("ALBUMART_LEASE_SECONDS", default=120)
ALBUMART_RESEND_SECONDS = env.int("ALBUMART_RESEND_SECONDS", default=60)
ALBUMART_DISPATCH_BATCH_SIZE = 200  # messages per dispatch at most, because rows wait in the table and not in the queue
ALBUMART_CIRCUIT_FAILURE_THRESHOLD = env.int("ALBUMART_CIRCUIT_FAILURE_THRESHOLD", default=5)
ALBUMART_CIRCUIT_COOLDOWN_SECONDS = env.float("ALBUMART_CIRCUIT_COOLDOWN_SECONDS", default=60.0)
ALBUMART_CIRCUIT_SUCCESS_THRESHOLD = 3
ALBUMART_MAX_PAUSE_SECONDS = 3600.0
ALBUMART_RECHECK_DAYS = env.int("ALBUMART_RECHECK_DAYS", default=7)
ALBUMART_RECHECKS_PER_HOUR = env.int("ALBUMART_RECHECKS_PER_HOUR", default=100)
ALBUMART_CONTENT_RETENTION_DAYS = env.int("ALBUMART_CONTENT_RETENTION_DAYS", default=30)
ALBUMART_ORPHAN_GRACE_SECONDS = env.int("ALBUMART_ORPHAN_GRACE_SECONDS", default=86_400)
ALBUMART_MAX_UPLOADS_PER_HOUR = env.int("ALBUMART_MAX_UPLOADS_PER_HOUR", default=200)  # per user

API_MAX_JSON_BYTES = env.int("API_MAX_JSON_BYTES", default=1024 * 1024)
API_DEFAULT_PAGE_ROWS = 10
API_MAX_PAGE_ROWS = env.int("API_MAX_PAGE_ROWS", default=1000)  # the browse page always requests 1000

ASSETS_MAX_FILE_BYTES = env.int("ASSETS_MAX_FILE_BYTES", default=32 * 1024 * 1024)
ASSETS_MAX_JSON_BYTES = env.int("ASSETS_MAX_JSON_BYTES", default=4 * 1024 * 1024)
ASSETS_MAX_TAGS = env.int("ASSETS_MAX_TAGS", default=200)
ASSETS_MAX_TAG_CHARS = 100
ASSETS_MAX_DESCRIPTION_CHARS = env.int("ASSETS_MAX_DESCRIPTION_CHARS", default=10_000)
ASSETS_MAX_AI_METADATA_BYTES = 64 * 1024
ASSETS_MAX_SEARCH_CHARS = 500
ASSETS_MAX_BATCH_FILES = env.int("ASSETS_MAX_BATCH_FILES", default=100)
ASSETS_MAX_BATCH_ADDRESSES = env.int("ASSETS_MAX_BATCH_ADDRESSES", default=1000)
# If off, a file of any type is accepted for every layer, as in the legacy server.
ASSETS_ENFORCE_MEDIA_TYPES = env.bool("ASSETS_ENFORCE_MEDIA_TYPES", default=True)
ASSETS_RESERVATION_SECONDS = 300
# Rows that a migration fills at most. More rows need `backfill_assets`, which can be watched and paused.
ASSETS_MIGRATION_MAX_BACKFILL_ROWS = env.int("ASSETS_MIGRATION_MAX_BACKFILL_ROWS", default=20_000)

# A worker without a finished batch in this time counts as dead.
JOBS_LEASE_SECONDS = env.int("JOBS_LEASE_SECONDS", default=60)
JOBS_SLICE_SECONDS = env.float("JOBS_SLICE_SECONDS", default=15.0)  # so that other tasks are not delayed
JOBS_THROTTLED_RETRY_SECONDS = env.float("JOBS_THROTTLED_RETRY_SECONDS", default=5.0)
JOBS_LOCK_TIMEOUT_MS = 2000  # edits by users lock a row for milliseconds; a longer lock is retried
JOBS_MAX_RECONNECTS = 6  # 0.5 s, doubled each time: 31 s, long enough for a restart of PostgreSQL
JOBS_MAX_FAILURE_SHARE = env.float("JOBS_MAX_FAILURE_SHARE", default=0.1)
JOBS_MIN_ROWS_TO_FAIL = 50  # the share of fewer rows is not significant
JOBS_MAX_LOCK_WAITS = env.int("JOBS_MAX_LOCK_WAITS", default=3)
JOBS_MAX_ACTIVE_CONNECTIONS = env.int("JOBS_MAX_ACTIVE_CONNECTIONS", default=40)
JOBS_MAX_QUEUE_SECONDS = env.float("JOBS_MAX_QUEUE_SECONDS", default=60.0)
JOBS_MAX_SLOWDOWN = env.float("JOBS_MAX_SLOWDOWN", default=0.10)  # allowed rise of the p95 of API reads
JOBS_MIN_REQUESTS = env.int("JOBS_MIN_REQUESTS", default=50)  # the p95 of fewer requests is not significant

BUGREPORTS_SUBMIT_STAFF_ONLY = env.bool("BUGREPORTS_SUBMIT_STAFF_ONLY", default=False)
BUGREPORTS_MAX_REPORT_BYTES = env.int("BUGREPORTS_MAX_REPORT_BYTES", default=10 * 1024 * 1024)
BUGREPORTS_MAX_LOGS = env.int("BUGREPORTS_MAX_LOGS", default=200)
BUGREPORTS_MAX_NETWORK_EVENTS = env.int("BUGREPORTS_MAX_NETWORK_EVENTS", default=50)
BUGREPORTS_MAX_BODY_CHARS = 4096  # of one request or response in a report
BUGREPORTS_SCREENSHOT_MAX_BYTES = env.int("BUGREPORTS_SCREENSHOT_MAX_BYTES", default=5 * 1024 * 1024)
BUGREPORTS_SCREENSHOT_MAX_PIXELS = env.int("BUGREPORTS_SCREENSHOT_MAX_PIXELS", default=40_000_000)
BUGREPORTS_SCREENSHOT_SECONDS = 5.0  # the user waits for the response
BUGREPORTS_DEDUPLICATION_SECONDS = env.int("BUGREPORTS_DEDUPLICATION_SECONDS", default=60)
# Additional keys whose values are redacted, and keys whose values are never redacted.
BUGREPORTS_SECRET_KEYS = env.list("BUGREPORTS_SECRET_KEYS", default=[])
BUGREPORTS_SAFE_KEYS = env.list("BUGREPORTS_SAFE_KEYS", default=[])
BUGREPORTS_MASK_EMAILS = env.bool("BUGREPORTS_MASK_EMAILS", default=True)
# Environments may still use the old name `bug_reports.retention_days`. 0 disables the purge.
BUGREPORTS_RETENTION_DAYS = env.int(
    "BUGREPORTS_RETENTION_DAYS", default=env.int("bug_reports.retention_days", default=30)
)
BUGREPORTS_PURGE_OPEN = env.bool("BUGREPORTS_PURGE_OPEN", default=False)
BUGREPORTS_PURGE_BATCH_ROWS = env.int("BUGREPORTS_PURGE_BATCH_ROWS", default=500)
# The scheduled purge deletes at most this many reports, or ten times its largest earlier run.
BUGREPORTS_PURGE_MAX_ROWS = env.int("BUGREPORTS_PURGE_MAX_ROWS", default=5000)
BUGREPORTS_EXPIRING_DAYS = 3  # days before the purge in which a report is in the queue "Expiring soon"
BUGREPORTS_ORPHAN_GRACE_SECONDS = env.int("BUGREPORTS_ORPHAN_GRACE_SECONDS", default=86_400)
BUGREPORTS_MAX_BULK_ROWS = env.int("BUGREPORTS_MAX_BULK_ROWS", default=5000)
# URL of the log search by trace id, e.g. https://logs.example.org/search?q={trace_id}
BUGREPORTS_LOG_SEARCH_URL = env.str("BUGREPORTS_LOG_SEARCH_URL", default="")
# URL and signing secret of the webhook. Both are required.
BUGREPORTS_WEBHOOK_URL = env.str("BUGREPORTS_WEBHOOK_URL", default="")
BUGREPORTS_WEBHOOK_SECRET = env.str("BUGREPORTS_WEBHOOK_SECRET", default="")
BUGREPORTS_DIGEST_EMAIL_ENABLED = env.bool("BUGREPORTS_DIGEST_EMAIL_ENABLED", default=False)
NOTIFICATIONS_ATTEMPTS = 8  # about a day with the delays below
# Seconds before the first retry; each further delay is four times as long.
NOTIFICATIONS_RETRY_SECONDS = env.float("NOTIFICATIONS_RETRY_SECONDS", default=10.0)
NOTIFICATIONS_LEASE_SECONDS = 60

FLAGS_REASON_REQUIRED = env.bool("FLAGS_REASON_REQUIRED", default=True)

TAXONOMY_MAX_DOCUMENT_BYTES = env.int("TAXONOMY_MAX_DOCUMENT_BYTES", default=8 * 1024 * 1024)
WAFFLE_FLAG_MODEL = "flags.FieldFlag"
WAFFLE_OVERRIDE = False  # requests cannot enable flags
WAFFLE_CREATE_MISSING_FLAGS = False
WAFFLE_FLAG_DEFAULT = False
WAFFLE_ENABLE_ADMIN_PAGES = False  # the admin pages of `flags` write audit records
# No migrations of waffle: only its abstract flag is used. Its table waffle_flag_users for the replaced model would
# reference our users without a model, so that tests could not truncate the tables.
MIGRATION_MODULES = {"waffle": None}
