"""Starts throw-away servers before the settings are read; named in pytest's options, so it loads first.

Only the controlling process starts them: workers of pytest-xdist inherit the addresses with the environment.
"""

import os
import tempfile
from pathlib import Path

# The environment outranks pytest's ini file, and importing `config` names the development settings there.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")

from devstack import embedded

if "PYTEST_XDIST_WORKER" not in os.environ and not os.environ.get("DATABASE_URL"):
    # Deleted by the servers' keeper once this process is gone.
    os.environ.update(embedded.ensure(Path(tempfile.mkdtemp(prefix="nna-test-")), ephemeral=True))
