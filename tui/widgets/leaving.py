"""Workers that come back to an empty room: what they ask of the store may outlive the screen that asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from textual.css.query import NoMatches
from textual.dom import DOMNode


@contextmanager
def unless_gone(node: DOMNode) -> Iterator[None]:
    """Let a missing widget pass while `node`, or the whole app, is being taken down."""
    try:
        yield
    except NoMatches:
        if node.app.is_running and node.is_attached and node.display:  # what is being removed has no display
            raise
