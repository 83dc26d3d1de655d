"""``python -m seedbed_server`` is ``seedbed-server``."""

import sys

from seedbed_server_main import main

if __name__ == "__main__":  # workers import it under another name
    sys.exit(main())
