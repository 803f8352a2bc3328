"""Embedded PostgreSQL and Valkey for development and tests, unless the environment names servers."""

import os
import sys
from pathlib import Path

import environ

from devstack import embedded

_BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = _BASE_DIR / "var"


def configure_embedded_servers() -> None:
    """Start the embedded servers if needed and set their URLs in the environment. Variables already set are kept."""
    # Before the settings read it, because .env may name a database.
    environ.Env.read_env(_BASE_DIR / ".env", overwrite=False)
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    try:
        urls = embedded.ensure(read_data_dir())
    except embedded.EmbeddedServersError as error:
        sys.exit(f"embedded servers: {error}")
    if os.environ.get("REDIS_URL"):
        del urls["CELERY_BROKER_URL"]  # the broker is the server of REDIS_URL
    for name, url in urls.items():
        os.environ.setdefault(name, url)


def read_data_dir() -> Path:
    return Path(os.environ.get("EMBEDDED_DIR") or VAR_DIR / "servers")
