"""A dark and a light theme of our own: calm greys, one accent."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="tocsin-dark", dark=True, primary="#e0a458", secondary="#8fa3b8", accent="#e0a458", foreground="#d7dde4",
    background="#12161b", surface="#171c22", panel="#1e252d", success="#6cc08b", warning="#e0a458", error="#e5707a",
    variables={"footer-key-foreground": "#e0a458", "block-cursor-background": "#2b3541",
               "block-cursor-foreground": "#f2f5f8", "block-cursor-text-style": "none"},
)
LIGHT = Theme(
    name="tocsin-light", dark=False, primary="#9a5b00", secondary="#51606f", accent="#9a5b00", foreground="#1c232b",
    background="#fbfaf8", surface="#f4f2ee", panel="#e9e6e0", success="#1a7f4b", warning="#9a5b00", error="#b4232a",
    variables={"footer-key-foreground": "#9a5b00", "block-cursor-background": "#dfe7f0",
               "block-cursor-foreground": "#12161b", "block-cursor-text-style": "none"},
)
