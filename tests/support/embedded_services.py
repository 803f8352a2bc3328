"""Start temporary servers before the settings are read. The pytest options load this plugin first.

Only the controlling process starts them: workers of pytest-xdist inherit the URLs with the environment.
"""

import os
import tempfile
from pathlib import Path

# Importing `config` sets this variable to the development settings, and it overrides the ini file of pytest.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")

from devstack import embedded

if "PYTEST_XDIST_WORKER" not in os.environ and not os.environ.get("DATABASE_URL"):
    # The daemon of the servers deletes the folder after this process has ended.
    os.environ.update(embedded.ensure(Path(tempfile.mkdtemp(prefix="nna-test-")), ephemeral=True))
