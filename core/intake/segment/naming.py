"""Names from outside made fit to keep: one printable line, and slugs of our own. Pure."""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 200
LONGEST_SLUG = 60


def clean(name: str | None, otherwise: str) -> str:
    """`name` as one line of printable characters (no terminal escapes, no direction marks), or `otherwise`."""
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in name or "")
    return " ".join(kept.split())[:LONGEST_NAME].rstrip() or otherwise


def slugify(name: str) -> str:
    """Lower-case letters, digits and dashes, as `name` suggests them; `connection` when nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_SLUG].rstrip("-") or "connection"


def free_slug(wanted: str, taken: set[str]) -> str:
    """`wanted`, with a number behind it when it is taken; the answer is taken from then on."""
    slug, number = wanted, 2
    while slug in taken:
        slug, number = f"{wanted}-{number}", number + 1
    taken.add(slug)
    return slug
