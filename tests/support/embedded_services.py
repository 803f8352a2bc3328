"""Starts throw-away servers before Django reads its settings, once for a test run; workers of xdist inherit them."""

import os
import tempfile
from pathlib import Path

from config.embedded_servers import ensure

if "PYTEST_XDIST_WORKER" not in os.environ and not os.environ.get("DATABASE_URL"):
    os.environ.update(ensure(Path(tempfile.mkdtemp(prefix="registry-test-")), ephemeral=True))
