"""Numbers, times and names as the screens show them. Pure; names from outside lose whatever could steer a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

BARS = "▁▂▃▄▅▆▇"
"""Not the full block: lines of bars in neighbouring rows would touch."""
STATES = {
    "firing": ("▲", "$error"), "ok": ("●", "$success"), "enabled": ("●", "$success"), "disabled": ("○", "$secondary"),
    "muted": ("◌", "$secondary"), "learning": ("◔", "$secondary"), "no_data": ("∅", "$secondary"),
    "too_few": ("◦", "$secondary"), "unknown": ("?", "$warning"), "stale": ("!", "$warning"),
    "new": ("·", "$secondary"),
}
"""A glyph of one cell beside every status, so that colour is never the only carrier; theme colours by name."""


def safe(text: str) -> str:
    """`text` on one line, without control characters, escapes or direction marks."""
    return "".join(" " if unicodedata.category(mark) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else mark for mark in text)


def number(value: int) -> str:
    """With thousands separators."""
    return f"{value:,}"


def percent(value: Decimal | None, *, signed: bool = False) -> str:
    """One decimal, cut towards zero; an en dash for none."""
    if value is None:
        return "–"
    cut = value.quantize(Decimal("0.1"), rounding="ROUND_DOWN")
    return f"{cut:+,} %" if signed else f"{cut:,} %"


def arrow(change: Decimal | None) -> str:
    """Which way it went."""
    return " " if change is None or change == 0 else "▲" if change > 0 else "▼"


def ago(moment: datetime | None, now: datetime) -> str:
    """How long since `moment`: `4 min ago`; `never` for none."""
    if moment is None:
        return "never"
    return "just now" if now - moment < timedelta(minutes=1) else f"{length(now - moment)} ago"


def local(moment: datetime) -> str:
    """A time on this machine's clock, as `Mon 23 Nov 14:05`."""
    return f"{moment.astimezone():%a %-d %b %H:%M}"


def utc_times(row: object) -> str:
    """Each time among a dataclass's fields in UTC, a line each, under the field's name; nothing for anything else."""
    if not is_dataclass(row):
        return ""
    found = {field.name: getattr(row, field.name) for field in fields(row)}
    return "\n".join(f"{name.removesuffix('_at').replace('_', ' ')}: {moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
                     for name, moment in found.items() if isinstance(moment, datetime))


def length(time: timedelta) -> str:
    """A stretch of time in its largest whole unit."""
    minutes = max(0, int(time.total_seconds())) // 60
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def sparkline(values: Sequence[int], width: int) -> str:
    """`values` squeezed into `width` bars, oldest first; -1 is an hour that says nothing and shows as a space."""
    if not values or width < 1:
        return " " * width
    per = max(1, -(-len(values) // width))
    groups = [[value for value in values[at:at + per] if value >= 0] for at in range(0, len(values), per)]
    means = [sum(group) // len(group) if group else -1 for group in groups]
    top = max(means)
    low = min((mean for mean in means if mean >= 0), default=0)
    base = low if top // 2 < low < top else 0  # a rate that hovers near the top would be a flat line
    span = max(1, top - base)
    return "".join(" " if mean < 0 else BARS[(mean - base) * (len(BARS) - 1) // span] for mean in means).ljust(width)
