"""`python -m config.reset`: stop the service of this checkout and delete its local data."""

import shutil
import sys

from common.file_locks import terminate_holder
from config.settings.embedded import VAR_DIR, read_data_dir
from devstack import embedded
from devstack.embedded.paths import ServerPaths


def reset() -> list[str]:
    """Return one sentence for each action."""
    done = []
    if terminate_holder(VAR_DIR / "stack.lock"):
        done.append("Stopped the running service.")
    data_dir = read_data_dir()
    if embedded.stop(data_dir):
        done.append("Stopped the embedded servers.")
    # EMBEDDED_DIR may name a folder with other files: only a folder with our lock file is deleted.
    is_ours = ServerPaths(data_dir).daemon_lock.exists()
    for folder in [VAR_DIR, *([data_dir] if is_ours else [])]:
        if folder.exists():
            shutil.rmtree(folder)
            done.append(f"Deleted {folder}.")
    return done or ["Nothing to delete."]


if __name__ == "__main__":
    sys.stdout.write("\n".join(reset()) + "\n")
