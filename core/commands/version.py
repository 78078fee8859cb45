"""Which version this is."""

from __future__ import annotations


def version_line() -> str:
    """What `--version` prints."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"tocsin {version('tocsin')}"
    except PackageNotFoundError:
        return "tocsin (not installed)"
