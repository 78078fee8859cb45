"""What every message says, worded once for the bell, email and Slack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec

from core.clock import start_of
from core.model import AlertKind, Event
from core.rules import cut_text, percent_text

BARS = "▁▂▃▄▅▆▇█"
BASELINES = {"day_before": "before", "week_before": "in the same 24 h a week before"}
CHANGES = {"both": "a change of more than", "drop": "a drop of more than", "spike": "a spike of more than"}


class Facts(msgspec.Struct, kw_only=True, frozen=True):
    """What a notification is about, as the store keeps it. Hours since 1970; `threshold` in basis points.

    `spark` holds 48 hourly values, oldest first: events, or for a rate basis points with -1 for no attempts.
    """

    event: str
    kind: str
    alert: int | None = None
    connection: str = ""
    connection_name: str = ""
    threshold: int = 0
    direction: str = "both"
    baseline_kind: str = "day_before"
    current: int = 0
    baseline: int = 0
    delivered: int = 0
    failed: int = 0
    window_start: int = 0
    window_end: int = 0
    opened_hour: int | None = None
    spark: list[int] = []
    set_by: str = ""
    set_by_email: str = ""
    text: str = ""
    test: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message for a person: a title, and for each thing it tells its facts and sentence."""

    title: str
    items: tuple[tuple[Facts, str], ...]

    @property
    def summary(self) -> str:
        """The whole message in one line."""
        if len(self.items) == 1:
            return self.items[0][1]
        return f"{len(self.items)} alerts opened at once: " + "; ".join(sentence for _, sentence in self.items)


def printable(text: str) -> str:
    """`text` without control characters, so that a name cannot break a line or steer a terminal."""
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())


def sentence(facts: Facts) -> str:
    """What happened, in one line with both numbers (product page, section 4)."""
    name = printable(facts.connection_name or facts.connection)
    if facts.event in (Event.CHANNEL_FAILED.value, Event.GAP.value):
        return printable(facts.text)
    told = _rate(facts) if facts.kind == AlertKind.DELIVERY_RATE.value else _volume(facts)
    if facts.event == Event.TEST.value:
        return f"Test message for {name}: {told}"
    if facts.event == Event.RESOLVED.value:
        return f"{name} is back in range: {told}"
    if facts.event == Event.REMINDER.value:
        return f"Still firing. {name}: {told}"
    return f"{name}: {told}"


def _volume(facts: Facts) -> str:
    before = BASELINES[facts.baseline_kind]
    asked = f"you asked to hear about {CHANGES[facts.direction]} {percent_text(facts.threshold)} %"
    if facts.baseline == 0:
        moved = f"from 0 to {facts.current:,}" if facts.current else "0 events in both windows"
        return f"{moved} events in 24 h, none {before}; {asked}" if facts.current else f"{moved}; {asked}"
    if facts.current == facts.baseline:
        how = f"the same as {before}"
    else:
        word = "fewer" if facts.current < facts.baseline else "more"
        share = judged_percent(abs(facts.current - facts.baseline), facts.baseline, facts.threshold)
        how = f"{share} % {word} than the {facts.baseline:,} {before}"
    return f"{facts.current:,} events in 24 h, {how}; {asked}"


def _rate(facts: Facts) -> str:
    attempts = facts.delivered + facts.failed
    asked = f"you asked to hear below {percent_text(facts.threshold)} %"
    if not attempts:
        return f"nothing was attempted in 24 h; {asked}"
    share = judged_percent(facts.delivered, attempts, facts.threshold)
    return f"{share} % delivered in 24 h, {facts.delivered:,} of {attempts:,} attempts; {asked}"


def judged_percent(numerator: int, denominator: int, threshold: int) -> str:
    """A share of whole numbers in percent, cut, with as many decimals as it takes to stand on its side of `threshold`.

    `threshold` is in basis points. 98.96 against 99 is `98.9`; 20.004 against 20 is `20.004`, not `20`.
    """
    side = _sign(numerator * 10_000 - threshold * denominator)
    for places in range(1, 31):
        cut = numerator * 100 * 10**places // denominator
        if _sign(cut * 100 - threshold * 10**places) == side and (cut or not numerator):
            break
    whole, part = divmod(cut, 10**places)
    return f"{whole:,}.{part:0{places}d}".rstrip("0").rstrip(".")


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def change_text(facts: Facts) -> str:
    """The one number of the news: `-71.4 %`, `from 0 to 812`, or a rate such as `98.9 %`."""
    if facts.kind == AlertKind.DELIVERY_RATE.value:
        attempts = facts.delivered + facts.failed
        return f"{judged_percent(facts.delivered, attempts, facts.threshold)} %" if attempts else "no attempts"
    if facts.baseline == 0:
        return f"from 0 to {facts.current:,}"
    moved = facts.current - facts.baseline
    mark = "" if moved == 0 else "-" if moved < 0 else "+"
    return f"{mark}{judged_percent(abs(moved), facts.baseline, facts.threshold)} %"


def shown(percent: Decimal) -> str:
    """A percentage for people: one decimal, cut, but two where one would hide it."""
    text = cut_text(percent)
    return cut_text(percent, 2) if text.lstrip("-") in ("0.0", "99.9") else text


def title(facts: Facts) -> str:
    """The subject: what kind of news, of which connection."""
    name = printable(facts.connection_name or facts.connection)
    kind = "Successful delivery rate" if facts.kind == AlertKind.DELIVERY_RATE.value else "Source volume"
    words = {
        Event.OPENED.value: f"{kind} alert: {name}", Event.REMINDER.value: f"Still firing: {name}",
        Event.RESOLVED.value: f"Resolved: {name}", Event.TEST.value: f"Test of your alert: {name}",
        Event.CHANNEL_FAILED.value: f"A channel stopped working: {name}",
        Event.GAP.value: "Not judged: nobody listened",
    }
    return words[facts.event]


def word(told: Sequence[Facts]) -> Message:
    """The message for one or more facts; several are a storm folded into one."""
    items = tuple((facts, sentence(facts)) for facts in told)
    if len(told) == 1:
        return Message(title(told[0]), items)
    return Message(f"{len(told)} alerts opened at once", items)


def window_text(facts: Facts) -> str:
    """The judged window in UTC."""
    return f"{_moment(facts.window_start)} to {_moment(facts.window_end)} UTC"


def command(facts: Facts) -> str:
    """The command that opens the alert."""
    return f"tocsin alert show {facts.alert}"


def setter(facts: Facts) -> str:
    """Who set the alert: their name and address."""
    name, email = printable(facts.set_by), printable(facts.set_by_email)
    return f"{name} ({email})" if name and email else name or email


def details(facts: Facts) -> list[tuple[str, str]]:
    """What stands below the sentence, as label and value: window, last 48 hours, who set it, how to open it."""
    rows = []
    if facts.window_end:
        rows.append(("Window", window_text(facts)))
    if facts.spark:
        rows.append((f"Last {len(facts.spark)} h", spark_text(facts)))
    if setter(facts):
        rows.append(("Set by", setter(facts)))
    if facts.alert is not None:
        rows.append(("Open it", command(facts)))
    return rows


def remark(facts: Facts) -> str:
    """A second line where the sentence alone could mislead, else nothing."""
    return "Somebody asked to see how this channel works; nothing has happened." if facts.event == Event.TEST else ""


def spark_text(facts: Facts) -> str:
    """The last 48 hours as a line of bars, oldest first; a space where nothing was attempted."""
    values = facts.spark
    top, low = max(values, default=0), 0
    if facts.kind == AlertKind.DELIVERY_RATE.value:
        low = min((value for value in values if value >= 0), default=0)
    span = max(1, top - low)
    return "".join(" " if value < 0 else BARS[(value - low) * (len(BARS) - 1) // span] for value in values)


def _moment(hour: int) -> str:
    moment: datetime = start_of(hour)
    return f"{moment:%Y-%m-%d %H:%M}"
