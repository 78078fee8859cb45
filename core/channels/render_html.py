"""The HTML part of a mail: one table, no picture, no style sheet, no link, nothing that is fetched."""

from __future__ import annotations

from html import escape

from core.channels.message import Message, details, remark

MOST_ITEMS = 200
CELL = "padding:2px 16px 2px 0;vertical-align:top"
MONO = "font-family:monospace;white-space:pre"


def html_of(message: Message) -> str:
    """`message` as a whole HTML document; every name in it is escaped."""
    parts = [f"<h2 style=\"margin:0 0 12px\">{escape(message.title)}</h2>"]
    for facts, sentence in message.items[:MOST_ITEMS]:
        rows = "".join(
            f'<tr><td style="{CELL};color:#666">{escape(label)}</td><td style="{CELL}">{_value(label, value)}</td></tr>'
            for label, value in details(facts))
        noted = f"<p><em>{escape(remark(facts))}</em></p>" if remark(facts) else ""
        told = f'<p style="margin:12px 0 4px"><strong>{escape(sentence)}</strong></p>'
        parts.append(f"{told}{noted}<table>{rows}</table>")
    if len(message.items) > MOST_ITEMS:
        parts.append(f"<p>and {len(message.items) - MOST_ITEMS} more: tocsin incident list --open</p>")
    body = "\n".join(parts)
    head = f'<head><meta charset="utf-8"><title>{escape(message.title)}</title></head>'
    return (f'<!DOCTYPE html>\n<html lang="en">{head}\n'
            f'<body style="font-family:sans-serif">\n{body}\n</body></html>\n')


def _value(label: str, value: str) -> str:
    mono = label.startswith("Last ") or label == "Open it"
    return f'<span style="{MONO}">{escape(value)}</span>' if mono else escape(value)
