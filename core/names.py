"""Names and slugs that people type or servers send: made safe before they are kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from core.errors import InvalidInput

LONGEST_NAME = 120
SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def clean_name(text: str, what: str = "name") -> str:
    """`text` with its spaces tidied. Raises InvalidInput for control characters, terminal escapes, or nothing."""
    name = " ".join(text.split())
    if any(unicodedata.category(mark) in ("Cc", "Cs", "Zl", "Zp") for mark in text.strip()):
        raise InvalidInput(f"The {what} has control characters in it.", what)
    if not name:
        raise InvalidInput(f"The {what} is empty.", what)
    if len(name) > LONGEST_NAME:
        raise InvalidInput(f"The {what} is longer than {LONGEST_NAME} characters.", what)
    return name


def check_slug(text: str) -> str:
    """`text` when it can be a slug. Raises InvalidInput."""
    if not SLUG.fullmatch(text):
        raise InvalidInput("A slug is lower-case letters, digits, - and _, at most 63 of them.", "slug")
    return text


def slug_of(name: str, taken: Container[str]) -> str:
    """A free slug made from a name: `Checkout API` is `checkout-api`, then `checkout-api-2`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = "-".join(re.findall(r"[a-z0-9]+", plain))[:56].strip("-") or "connection"
    slug, number = base, 1
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug
