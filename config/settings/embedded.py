"""Gives development and tests a database and a Valkey when the environment names none."""

import os
import sys
from pathlib import Path

import environ

from devstack import embedded

_BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = _BASE_DIR / "var"


def configure_embedded_servers() -> None:
    """Start or find the embedded servers and put their addresses into the environment; names already set stand."""
    # Before the settings do: a database named there must not come too late.
    environ.Env.read_env(_BASE_DIR / ".env", overwrite=False)
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    try:
        addresses = embedded.ensure(read_data_dir())
    except embedded.EmbeddedServersError as error:
        sys.exit(f"embedded servers: {error}")
    if os.environ.get("REDIS_URL"):
        del addresses["CELERY_BROKER_URL"]  # the queue is on the server that was named
    for name, address in addresses.items():
        os.environ.setdefault(name, address)


def read_data_dir() -> Path:
    return Path(os.environ.get("EMBEDDED_DIR") or VAR_DIR / "servers")
