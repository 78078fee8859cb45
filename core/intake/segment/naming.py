"""Names from a workspace made fit to keep and to show. Pure."""

from __future__ import annotations

import unicodedata

from core.names import LONGEST_NAME


def clean(name: str | None, otherwise: str) -> str:
    """`name` as one line of printable characters, or `otherwise` when nothing is left.

    What a person types is refused when it holds control characters; a name that Segment accepted has to be kept.
    """
    kept = "".join(mark if unicodedata.category(mark)[0] != "C" else " " for mark in name or "")
    return " ".join(kept.split())[:LONGEST_NAME].rstrip() or otherwise
