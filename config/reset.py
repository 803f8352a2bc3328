"""`python -m config.reset`: stops what runs from this checkout and deletes its local data."""

import shutil
import sys

from common.file_locks import terminate_holder
from config.settings.embedded import VAR_DIR, read_data_dir
from devstack import embedded


def reset() -> list[str]:
    """What was done, a sentence each."""
    done = []
    if terminate_holder(VAR_DIR / "stack.lock"):
        done.append("Stopped the running service.")
    data_dir = read_data_dir()
    if embedded.stop(data_dir):
        done.append("Stopped the embedded servers.")
    # A folder named in EMBEDDED_DIR may hold other things too: only one with our mark is deleted.
    is_ours = (data_dir / "keeper.lock").exists()
    for folder in [VAR_DIR, *([data_dir] if is_ours else [])]:
        if folder.exists():
            shutil.rmtree(folder)
            done.append(f"Deleted {folder}.")
    return done or ["Nothing to delete."]


if __name__ == "__main__":
    sys.stdout.write("\n".join(reset()) + "\n")
