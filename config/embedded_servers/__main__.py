"""`python -m config.embedded_servers stop DATA_DIR`: stops servers whoever uses them."""

import sys
from pathlib import Path

from config.embedded_servers import stop

if __name__ == "__main__":
    match sys.argv[1:]:
        case ["stop", data_dir]:
            stop(Path(data_dir))
        case _:
            sys.exit(__doc__)
