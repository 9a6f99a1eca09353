"""``python -m costs``."""

import sys

from costs.cli import main

if __name__ == "__main__":
    sys.exit(main())
