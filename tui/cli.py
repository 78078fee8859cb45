"""The `tocsin` entry: the screens on top of core's commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from core import cli


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (None: this process's own) and return its exit code."""
    return cli.main(argv)


if __name__ == "__main__":
    sys.exit(main())
