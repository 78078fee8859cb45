"""The HTML part of a mail: one small page, nothing fetched from anywhere, light or dark as the reader's screen is.

Mail clients differ: what must be seen is in inline styles, the sheet in the head only turns it dark. A day of bars is
one piece, so that on a narrow screen the second day stands below the first, hour under hour.
"""

from __future__ import annotations

import re
from html import escape

from core.channels.message import (
    ALL_OPEN,
    Facts,
    Message,
    bound,
    details,
    printable,
    remark,
    scale_text,
    spark_text,
    verdict_of,
    window_text,
)
from core.terms import Event, Verdict

MOST_ITEMS = 50
"""More than that is only named: a large mail provider cuts a page of more than 102 kB."""
FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
MONO = "font-family:ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace"
RED, GREEN, GREY, PALE = (
    ("red", "#b4232a"), ("green", "#1a7f4b"), ("dim", "#5b6672"), ("pale", "#9aa5b0"))
MARKS = {
    Event.OPENED.value: ("▲", RED), Event.REMINDER.value: ("▲", RED), Event.RESOLVED.value: ("●", GREEN),
    Event.TEST.value: ("○", GREY), Event.CHANNEL_FAILED.value: ("✕", RED), Event.GAP.value: ("?", GREY),
}
"""The glyph and colour of each event: a class for the dark, and the light colour."""
DARK = (
    ":root{color-scheme:light dark}@media (prefers-color-scheme:dark){.back{background:#14181d!important}"
    ".card{background:#1d232a!important;border-color:#323b45!important}.ink{color:#e6eaee!important}"
    ".dim{color:#98a3af!important}.pale{color:#66727e!important}.red{color:#ff8a85!important}.green{color:#63cf97!important}"
    ".line{border-color:#323b45!important}}"
)
DAY = 24
MOMENT = r"\d{4}-\d\d-\d\d\s\d\d:\d\d(\sUTC)?"


def page(message: Message) -> str:
    """The message as an HTML document; everything from outside is escaped."""
    title = escape(printable(message.title))
    first = message.items[0][0]
    glyph, colour = _mark(first)
    several = len(message.items) > 1
    parts = [_item(facts, sentence, several) for facts, sentence in message.items[:MOST_ITEMS]]
    if several:
        parts.append(_under_a_line(_rows([
            ("Also", message.beyond(MOST_ITEMS)), ("Window", window_text(first)), ("All open", ALL_OPEN)])))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{title}</title><style>{DARK}</style></head>"
        f'<body class="back" style="margin:0;padding:0;background:#f3f5f7">'
        f'<div class="back" style="background:#f3f5f7;padding:24px 12px;{FONT}">'
        '<div class="card" style="max-width:520px;margin:0 auto;background:#ffffff;border:1px solid #dde2e8;'
        f'border-radius:10px;padding:22px 24px">'
        f'<h1 class="ink" style="margin:0 0 14px;font-size:18px;line-height:1.35;font-weight:600;color:#1b222a">'
        f'{_coloured("span", colour, glyph)} {bound(title)}</h1>{"".join(parts)}</div></div></body></html>'
    )


def _item(facts: Facts, sentence: str, several: bool) -> str:
    said = (f'<p class="ink" style="margin:0 0 14px;font-size:15px;line-height:1.55;color:#1b222a">'
            f"{_text(sentence)}</p>")
    if remark(facts):
        said += _coloured("p", GREY, _text(remark(facts)), "margin:0 0 14px;font-size:13px;line-height:1.5")
    rows = [row for row in details(facts, window=not several) if row[0] and not row[0].startswith("Last ")]
    whole = said + _bars(facts) + _rows(rows)
    return _under_a_line(whole) if several else whole


def _bars(facts: Facts) -> str:
    if not facts.spark:
        return ""
    bars, colour = spark_text(facts), _mark(facts)[1]
    style = "display:inline-block;white-space:pre"
    return (f'<div style="margin:0 0 4px;font-size:16px;line-height:1.25;{MONO}">'
            + _coloured("span", PALE, bars[:DAY], style) + _coloured("span", colour, bars[DAY:], style) + "</div>"
            + _coloured("p", GREY, f"Last {len(bars)} h, {bound(scale_text(facts))}",
                        "margin:0 0 14px;font-size:12px;line-height:1.5"))


def _rows(rows: list[tuple[str, str]]) -> str:
    cells = "".join(
        "<tr>" + _coloured("td", GREY, label, "padding:2px 14px 2px 0;white-space:nowrap;vertical-align:top")
        + f'<td class="ink" style="padding:2px 0;color:#1b222a;word-break:break-word{_face(label)}">'
        f"{_text(value)}</td></tr>" for label, value in rows if value)
    style = "border-collapse:collapse;font-size:13px;line-height:1.5"
    return f'<table role="presentation" style="{style}">{cells}</table>' if cells else ""


def _text(text: str) -> str:
    # Browsers break a date at its hyphens.
    return re.sub(MOMENT, r'<span style="white-space:nowrap">\g<0></span>', escape(bound(text)))


def _face(label: str) -> str:
    return f";{MONO}" if label in ("Open it", "All open") else ""


def _under_a_line(inner: str) -> str:
    return f'<div class="line" style="border-top:1px solid #dde2e8;margin:18px 0 0;padding:18px 0 0">{inner}</div>'


def _coloured(tag: str, colour: tuple[str, str], inner: str, style: str = "") -> str:
    return f'<{tag} class="{colour[0]}" style="color:{colour[1]};{style}">{inner}</{tag}>'


def _mark(facts: Facts) -> tuple[str, tuple[str, str]]:
    if facts.event == Event.RESOLVED.value and verdict_of(facts) is not Verdict.OK:
        return "○", GREY
    return MARKS[facts.event]
