"""A message in Slack's two shapes: text and blocks for an incoming webhook, flat strings for a workflow.

Source: the reference facts, sections 6.2 (limits) and 6.3 (one flat object, every variable declared beforehand).
"""

from __future__ import annotations

from core.channels.message import Facts, Message, change_text, command, details, remark, setter, spark_text, window_text
from core.model import AlertKind
from core.rules import percent_text

MOST_BLOCKS = 50
MOST_HEADER = 150
MOST_SECTION = 3000
MOST_TEXT = 4000
MOST_VARIABLE = 2000
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
WORKFLOW_VARIABLES = (
    "event", "title", "text", "alert", "connection", "change", "threshold", "current", "previous", "window",
    "sparkline", "set_by", "command",
)
"""The variables a person declares in a workflow; every message fills all of them, with strings."""


def blocks_of(message: Message) -> dict[str, object]:
    """The body for an incoming webhook: `text` for notifications, `blocks` for the channel."""
    blocks: list[dict[str, object]] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(message.title, MOST_HEADER), "emoji": False}}]
    room = MOST_BLOCKS - 2
    for facts, sentence in message.items[:room]:
        blocks.append(_section(_item(facts, sentence)))
    if len(message.items) > room:
        blocks.append(_section(f"and {len(message.items) - room} more: `tocsin incident list --open`"))
    return {"text": escaped(message.summary, MOST_TEXT), "blocks": blocks}


def variables_of(message: Message) -> dict[str, str]:
    """The body for a workflow: the same string variables every time; of several alerts, the first's numbers."""
    facts = message.items[0][0]
    rate = facts.kind == AlertKind.DELIVERY_RATE.value
    filled = {
        "event": facts.event, "title": message.title, "text": message.summary, "alert": str(facts.alert or ""),
        "connection": facts.connection_name or facts.connection, "change": change_text(facts),
        "threshold": f"{percent_text(facts.threshold)} %",
        "current": str(facts.delivered if rate else facts.current),
        "previous": str(facts.delivered + facts.failed if rate else facts.baseline),
        "window": window_text(facts), "sparkline": spark_text(facts), "set_by": setter(facts),
        "command": command(facts) if facts.alert is not None else "",
    }
    return {name: escaped(filled[name], MOST_VARIABLE) for name in WORKFLOW_VARIABLES}


def escaped(text: str, most: int) -> str:
    """`text` with the three characters escaped that mean something to Slack, at most `most` long, no entity cut."""
    whole = "".join(ENTITIES.get(mark, mark) for mark in text)
    if len(whole) <= most:
        return whole
    kept, length = [], 0
    for mark in text:
        piece = ENTITIES.get(mark, mark)
        if length + len(piece) > most - 1:
            break
        kept.append(piece)
        length += len(piece)
    return "".join(kept) + "…"


def cut(text: str, most: int) -> str:
    """`text`, at most `most` characters long."""
    return text if len(text) <= most else f"{text[:most - 1]}…"


def _item(facts: Facts, sentence: str) -> str:
    lines = [escaped(sentence, MOST_SECTION // 2)]
    if remark(facts):
        lines.append(f"_{remark(facts)}_")
    for label, value in details(facts):
        shown = escaped(value, 400)
        lines.append(f"{label}: `{shown}`" if label.startswith("Last ") or label == "Open it" else f"{label}: {shown}")
    return "\n".join(lines)


def _section(text: str) -> dict[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
