"""The HTML part of a mail: one small page, inline styles, nothing fetched from anywhere."""

from __future__ import annotations

from html import escape

from core.channels.message import Facts, Message, command, printable, remark, setter, spark_text, window_text
from core.model import Event

COLOURS = {Event.OPENED.value: "#b4232a", Event.REMINDER.value: "#b4232a", Event.RESOLVED.value: "#1a7f4b"}
QUIET = "#56606d"
MOST_ITEMS = 200
FONT = "font-family:-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"
MONO = "font-family:ui-monospace,Menlo,Consolas,monospace"


def page(message: Message) -> str:
    """The message as an HTML document; everything from outside is escaped."""
    title = escape(printable(message.title))
    items = "".join(_item(facts, sentence) for facts, sentence in message.items[:MOST_ITEMS])
    if len(message.items) > MOST_ITEMS:
        items += f"<p>and {len(message.items) - MOST_ITEMS} more: tocsin incident list --open</p>"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f'<body style="margin:0;padding:24px;background:#f4f5f7;color:#1c232b;{FONT}">'
        f'<div style="max-width:600px;margin:0 auto;background:#ffffff;border:1px solid #dfe3e8;border-radius:8px;'
        f'padding:24px"><h1 style="font-size:18px;margin:0 0 12px">{title}</h1>{items}</div></body></html>'
    )


def _item(facts: Facts, sentence: str) -> str:
    colour = COLOURS.get(facts.event, QUIET)
    rows = []
    if remark(facts):
        rows.append(f'<div style="font-size:12px;color:{QUIET}">{escape(remark(facts))}</div>')
    if facts.spark:
        rows.append(f'<div style="{MONO};font-size:14px;color:{colour};overflow:hidden;white-space:pre">'
                    f'{escape(spark_text(facts))}</div>')
    if facts.window_end:
        rows.append(f'<div style="font-size:12px;color:{QUIET}">last 48 h · window {escape(window_text(facts))}</div>')
    if setter(facts):
        rows.append(f'<div style="font-size:12px;color:{QUIET}">set by {escape(setter(facts))}</div>')
    if facts.alert is not None:
        rows.append(f'<div style="{MONO};font-size:12px;color:{QUIET}">{escape(command(facts))}</div>')
    return (f'<div style="border-left:4px solid {colour};padding:4px 0 4px 14px;margin:0 0 16px">'
            f'<p style="font-size:15px;line-height:1.5;margin:0 0 10px">{escape(sentence)}</p>{"".join(rows)}</div>')
