"""`python -m vlpbench` is `vlpbench`."""

from __future__ import annotations

import sys

from vlpbench.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
