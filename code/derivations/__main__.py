"""``python -m derivations`` is the command ``derivations``."""
import sys

from .commands import main

if __name__ == "__main__":
    sys.exit(main())
