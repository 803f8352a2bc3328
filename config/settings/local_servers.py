"""Gives development and tests a database and a Valkey when the environment names none."""

import os
import sys
from pathlib import Path

from config import embedded_servers

_BASE_DIR = Path(__file__).resolve().parents[2]


def provide_servers() -> None:
    """Start or find the embedded servers and put their addresses into the environment; names already set stand."""
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    data_dir = Path(os.environ.get("EMBEDDED_DIR") or _BASE_DIR / "var" / "servers")
    try:
        addresses = embedded_servers.ensure(data_dir)
    except embedded_servers.EmbeddedServersError as error:
        sys.exit(f"embedded servers: {error}")
    for name, address in addresses.items():
        os.environ.setdefault(name, address)
