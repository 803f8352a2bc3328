"""Limits of the domain that somebody may tune, prefixed by app, with the unit in the name."""

import environ

env = environ.Env()

ACCOUNTS_TOKEN_LIFETIME_SECONDS = env.int("ACCOUNTS_TOKEN_LIFETIME_SECONDS", default=86_400)  # the contract's 24 h
# How long a read may still be answered for a person who was disabled a moment ago.
ACCOUNTS_SNAPSHOT_SECONDS = env.int("ACCOUNTS_SNAPSHOT_SECONDS", default=15)
ACCOUNTS_SIGNING_KEY = env.str("ACCOUNTS_SIGNING_KEY", default="")

API_MAX_JSON_BYTES = env.int("API_MAX_JSON_BYTES", default=1024 * 1024)
API_DEFAULT_PAGE_ROWS = 10
API_MAX_PAGE_ROWS = env.int("API_MAX_PAGE_ROWS", default=1000)  # the browse page always asks for 1000

ASSETS_MAX_FILE_BYTES = env.int("ASSETS_MAX_FILE_BYTES", default=32 * 1024 * 1024)
ASSETS_MAX_TAGS = env.int("ASSETS_MAX_TAGS", default=200)
ASSETS_MAX_TAG_CHARS = 100
ASSETS_MAX_DESCRIPTION_CHARS = env.int("ASSETS_MAX_DESCRIPTION_CHARS", default=10_000)
ASSETS_MAX_CREATOR_DESCRIPTION_CHARS = 500  # also a constraint in the database
ASSETS_MAX_AI_METADATA_BYTES = 64 * 1024
ASSETS_MAX_SEARCH_CHARS = 500
ASSETS_MAX_BATCH_FILES = env.int("ASSETS_MAX_BATCH_FILES", default=100)
ASSETS_MAX_BATCH_ADDRESSES = env.int("ASSETS_MAX_BATCH_ADDRESSES", default=1000)
# Off, any upload is taken whatever its bytes are, as the legacy server did.
ASSETS_ENFORCE_MEDIA_TYPES = env.bool("ASSETS_ENFORCE_MEDIA_TYPES", default=True)
ASSETS_RESERVATION_SECONDS = 300

FLAGS_REASON_REQUIRED = env.bool("FLAGS_REASON_REQUIRED", default=True)

TAXONOMY_MAX_DOCUMENT_BYTES = env.int("TAXONOMY_MAX_DOCUMENT_BYTES", default=8 * 1024 * 1024)
WAFFLE_FLAG_MODEL = "flags.FieldFlag"
WAFFLE_OVERRIDE = False  # no request switches a flag for itself
WAFFLE_CREATE_MISSING_FLAGS = False
WAFFLE_FLAG_DEFAULT = False
WAFFLE_ENABLE_ADMIN_PAGES = False  # ours records who changed what
# Waffle's own tables stay away: of its models we use the abstract flag alone, and what its migrations make for the
# replaced one (waffle_flag_users) would point at our users, unknown to Django, so that no test could empty the tables.
MIGRATION_MODULES = {"waffle": None}
