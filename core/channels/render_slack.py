"""A message in Slack's two shapes: text and blocks for an incoming webhook, flat strings for a workflow.

Source: the reference facts, sections 6.2 (limits) and 6.3 (one flat object, every variable declared beforehand).
"""

from __future__ import annotations

from core.channels.message import (
    ALL_OPEN,
    NOTICES,
    Facts,
    Message,
    change_text,
    command,
    details,
    name_of,
    remark,
    scale_text,
    setter,
    spark_text,
    window_text,
)
from core.rules import percent_text
from core.terms import AlertKind

MOST_BLOCKS = 50
MOST_HEADER = 150
MOST_SECTION = 3000
MOST_TEXT = 4000
MOST_VARIABLE = 2000
QUIET = ("Window", "Set by", "Open it")
COMMANDS = ("Open it", "All open")
"""Details that stand in the line of context, and those that are commands."""
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
WORKFLOW_VARIABLES = (
    "event", "title", "text", "alert", "connection", "change", "threshold", "current", "previous", "window",
    "sparkline", "set_by", "command",
)
"""The variables a person declares in a workflow; every message fills all of them, with strings."""


def blocks_of(message: Message) -> dict[str, object]:
    """The body for an incoming webhook: `text` for notifications, `blocks` for the channel.

    The news stand in sections; window, author and command in a quiet line of context below.
    """
    several = len(message.items) > 1
    blocks: list[dict[str, object]] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(message.title, MOST_HEADER), "emoji": False}}]
    room = MOST_BLOCKS - 3
    for facts, sentence in message.items[:room]:
        blocks.append(_section(_item(facts, sentence, several)))
    first = message.items[0][0]
    quiet = [("Window", window_text(first)), ("All open", ALL_OPEN)] if several else _quiet(first)
    if len(message.items) > room:
        blocks.append(_section(escaped(f"Also: {message.beyond(room)}", MOST_SECTION)))
    if quiet:
        blocks.append({"type": "context", "elements": [_mrkdwn(_labelled(label, value)) for label, value in quiet]})
    return {"text": escaped(message.summary, MOST_TEXT), "blocks": blocks}


def variables_of(message: Message) -> dict[str, str]:
    """The body for a workflow: the same string variables every time.

    Of several alerts, each value stands in the order of the text, or once where all have the same.
    """
    each = [_variables(facts) for facts, _ in message.items]
    filled = {name: _joined([one[name] for one in each]) for name in each[0]}
    filled |= {"title": message.title, "text": message.summary, "set_by": ", ".join(
        dict.fromkeys(one["set_by"] for one in each))}
    if len(each) > 1:
        filled["command"] = ALL_OPEN
    return {name: escaped(filled[name], MOST_VARIABLE) for name in WORKFLOW_VARIABLES}


def _variables(facts: Facts) -> dict[str, str]:
    rate = facts.kind == AlertKind.DELIVERY_RATE.value
    named = {
        "event": facts.event, "alert": str(facts.alert or ""), "connection": name_of(facts),
        "set_by": setter(facts), "command": command(facts) if facts.alert is not None else "",
    }
    if facts.event in NOTICES:
        return dict.fromkeys(WORKFLOW_VARIABLES, "") | named
    return named | {
        "change": change_text(facts), "threshold": f"{percent_text(facts.threshold)} %",
        "current": str(facts.delivered if rate else facts.current),
        "previous": str(facts.delivered + facts.failed if rate else facts.baseline),
        "window": window_text(facts), "sparkline": spark_text(facts),
    }


def _joined(values: list[str]) -> str:
    return values[0] if len(set(values)) == 1 else ", ".join(values)


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


def _item(facts: Facts, sentence: str, several: bool) -> str:
    lines = [escaped(sentence, MOST_SECTION // 2)]
    if remark(facts):
        lines.append(f"_{remark(facts)}_")
    if facts.spark:
        lines.append(f"`{spark_text(facts)}` {scale_text(facts)}")
    if several:
        lines.append(" · ".join(_labelled(label, value) for label, value in _quiet(facts) if label != "Window"))
    return "\n".join(lines)


def _quiet(facts: Facts) -> list[tuple[str, str]]:
    return [(label, value) for label, value in details(facts) if label in QUIET]


def _labelled(label: str, value: str) -> str:
    shown = escaped(value, 400)
    return f"{label}: `{shown}`" if label in COMMANDS else f"{label}: {shown}"


def _section(text: str) -> dict[str, object]:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> dict[str, object]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}
