"""What every message says, worded once for the bell, email and Slack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import msgspec

from core.clock import EPOCH, Hour, start_of
from core.rules import Condition, Counts, cut_text, percent_text, verdict
from core.terms import AlertKind, Baseline, ChannelKind, Direction, Event, Verdict

BARS = "▁▂▃▄▅▆▇█"
NO_ATTEMPTS = "·"
BASELINES = {"day_before": "before", "week_before": "in the same 24 h a week before"}
CHANGES = {"both": "a change of more than", "drop": "a drop of more than", "spike": "a spike of more than"}
CHANNELS = {ChannelKind.EMAIL: "email to", ChannelKind.SLACK: "Slack at"}
SINGLE = {ChannelKind.EMAIL: "an email to", ChannelKind.SLACK: "a message to Slack at"}
PLURAL = {ChannelKind.EMAIL: "emails to", ChannelKind.SLACK: "messages to Slack at"}
MOST_NAMES = 100
ALL_OPEN = "tocsin incident list --open"
NOTICES = frozenset({Event.CHANNEL_FAILED.value, Event.GAP.value})
"""Events that bring a sentence of their own and no numbers."""
LATE = Hour(2**40)
"""An hour by which every connection has history enough: what is told was judged."""


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
    min_events: int = 0
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

    def beyond(self, room: int) -> str:
        """The names of what does not fit after the first `room` things, or nothing."""
        return listed([name_of(facts) for facts, _ in self.items[room:]], MOST_NAMES)

    @property
    def summary(self) -> str:
        """The whole message in one line."""
        if len(self.items) == 1:
            return self.items[0][1]
        each = (f"{name_of(facts)}: {_numbers(facts)}" for facts, _ in self.items)
        return f"{_opened(len(self.items))}. {'; '.join(each)}"


def printable(text: str) -> str:
    """`text` without control characters, so that a name cannot break a line or steer a terminal."""
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())


def bound(text: str) -> str:
    """`text` with no-break spaces in what belongs together: `71 %`, `24 h`, `2026-11-23 08:00 UTC`."""
    return re.sub(r"(?<=\d) (?=(%|h|UTC|\d\d:\d\d)(?!\w))", "\N{NO-BREAK SPACE}", text)


def name_of(facts: Facts) -> str:
    """The connection's name, on one line."""
    return printable(facts.connection_name or facts.connection)


def sentence(facts: Facts) -> str:
    """What happened, in one line with both numbers (product page, section 4)."""
    if facts.event in NOTICES:
        return printable(facts.text)
    asked = _asked(facts)
    if facts.event == Event.RESOLVED.value:
        said = verdict_of(facts)
        if said is Verdict.NO_DATA:
            return (f"{name_of(facts)} has no events any more, 0 in 24 h and 0 {BASELINES[facts.baseline_kind]}, "
                    f"so nothing is left to compare; {asked}")
        if said is Verdict.TOO_FEW:
            asked += f", from {events(facts.min_events)} up"
    return f"{_lead(facts)}: {_numbers(facts)}; {asked}"


def verdict_of(facts: Facts) -> Verdict:
    """How the numbers of `facts` are judged: a resolved alert is back in range, or has too little left to compare."""
    counts = Counts(0, facts.current, facts.baseline, facts.delivered, facts.failed)
    asks = Condition(AlertKind(facts.kind), facts.threshold, Direction(facts.direction),
                     Baseline(facts.baseline_kind), facts.min_events)
    return verdict(counts, asks, LATE)


def _lead(facts: Facts) -> str:
    name = name_of(facts)
    if facts.event == Event.TEST.value:
        return f"Test message for {name}"
    if facts.event == Event.REMINDER.value:
        since = "" if facts.opened_hour is None else f", since {_moment(facts.opened_hour)} UTC"
        return f"{name} is still firing{since}"
    if facts.event == Event.RESOLVED.value:
        if verdict_of(facts) is Verdict.TOO_FEW:
            return f"{name} has too few events to compare"
        lasted = "" if facts.opened_hour is None else f" after {facts.window_end - facts.opened_hour} h"
        return f"{name} is back in range{lasted}"
    return name


def _asked(facts: Facts) -> str:
    limit = f"{percent_text(facts.threshold)} %"
    if facts.kind == AlertKind.DELIVERY_RATE.value:
        return f"you asked to hear about less than {limit}"
    return f"you asked to hear about {CHANGES[facts.direction]} {limit}"


def _numbers(facts: Facts) -> str:
    if facts.kind == AlertKind.DELIVERY_RATE.value:
        attempts = facts.delivered + facts.failed
        if not attempts:
            return "nothing was attempted in 24 h"
        tries = f"{attempts:,} attempt{'' if attempts == 1 else 's'}"
        return f"{change_text(facts)} delivered in 24 h, {facts.delivered:,} of {tries}"
    before = BASELINES[facts.baseline_kind]
    if facts.baseline == 0 and facts.current == 0:
        return f"0 events in 24 h and 0 {before}"
    if facts.baseline == 0:
        than = "" if facts.baseline_kind == Baseline.DAY_BEFORE.value else f", with none {before}"
        return f"from 0 to {events(facts.current)} in 24 h{than}"
    if facts.current == facts.baseline:
        return f"{events(facts.current)} in 24 h, as many as {before}"
    return f"{events(facts.current)} in 24 h, {_moved(facts)} than the {facts.baseline:,} {before}"


def _moved(facts: Facts) -> str:
    share = judged_percent(abs(facts.current - facts.baseline), facts.baseline, facts.threshold)
    return f"{share} % {'fewer' if facts.current < facts.baseline else 'more'}"


def events(count: int) -> str:
    """`1 event`, `2,801 events`."""
    return f"{count:,} event{'' if count == 1 else 's'}"


def refused_text(names: Sequence[str], kind: ChannelKind, recipient: str, answer: str) -> str:
    """The notice that a channel was refused for good. `names` are connections', `recipient` is masked."""
    return (f"{listed(names)}: {CHANNELS[kind]} {recipient} stopped working ({answer}). "
            "Nothing more is sent there until you edit the alert or a test succeeds.")


def given_up_text(names: Sequence[str], kind: ChannelKind, recipient: str, answer: str, ids: Sequence[int]) -> str:
    """The notice that messages, the notifications `ids`, were given up. `names` are connections', one for each."""
    one = len(ids) == 1
    what = f"{SINGLE[kind]} {recipient} was" if one else f"{len(ids)} {PLURAL[kind]} {recipient} were"
    how = f"To send it after all: tocsin notification retry {ids[0]}" if one else (
        "To see them: tocsin notification list --failed")
    return f"{listed(names)}: {what} given up after 24 h of trying ({answer}). {how}"


def gap_text(names: Sequence[str], began: int, ended: int) -> str:
    """The notice that connections were not judged. `began` (0: never listened before) and `ended` in Unix seconds."""
    last = _second(ended)
    since = f"from {_second(began)} to {last} UTC" if began else f"before {last} UTC"
    return (f"{listed(names)} could not be judged: nothing listened {since}. An import of those hours fills the gap; "
            "otherwise judging goes on when the windows are past it.")


def listed(names: Sequence[str], most: int = 3) -> str:
    """Up to `most` different names and how many more there are."""
    different = [printable(name) for name in dict.fromkeys(names)]
    more = f" and {len(different) - most} more" if len(different) > most else ""
    return ", ".join(different[:most]) + more


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
    """The subject: what kind of news, of which connection, and the number that made it news."""
    name = name_of(facts)
    if facts.event == Event.OPENED.value:
        kind = "Successful delivery rate" if facts.kind == AlertKind.DELIVERY_RATE.value else "Source volume"
        return f"{kind} alert: {name}, {_headline(facts)}"
    if facts.event == Event.REMINDER.value:
        return f"Still firing: {name}, {_headline(facts)}"
    if facts.event == Event.RESOLVED.value:
        closed = {Verdict.NO_DATA: "no events to compare", Verdict.TOO_FEW: "too few events to compare"}
        why = closed.get(verdict_of(facts))
        return f"Closed: {name}, {why}" if why else f"Resolved: {name}, back in range"
    words = {Event.TEST.value: "Test of your alert", Event.CHANNEL_FAILED.value: "Not delivered",
             Event.GAP.value: "Not judged"}
    return f"{words[facts.event]}: {name}"


def _headline(facts: Facts) -> str:
    if facts.kind == AlertKind.DELIVERY_RATE.value:
        return f"{change_text(facts)} delivered"
    if facts.current == 0:
        return "no events"
    return f"from 0 to {events(facts.current)}" if facts.baseline == 0 else f"{_moved(facts)} events"


def word(told: Sequence[Facts]) -> Message:
    """The message for one or more facts; several are a storm folded into one."""
    items = tuple((facts, sentence(facts)) for facts in told)
    if len(told) == 1:
        return Message(title(told[0]), items)
    return Message(f"{_opened(len(told))}: {listed([name_of(facts) for facts in told])}", items)


def _opened(count: int) -> str:
    return f"{count} alerts opened at once"


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


def details(facts: Facts, *, window: bool = True) -> list[tuple[str, str]]:
    """What stands below the sentence, as label and value: window, last 48 hours, who set it, how to open it.

    A list of several says the window once and not with each of them.
    """
    rows = []
    if facts.window_end and window:
        rows.append(("Window", window_text(facts)))
    if facts.spark:
        rows += [(f"Last {len(facts.spark)} h", spark_text(facts)), ("", scale_text(facts))]
    if setter(facts):
        rows.append(("Set by", setter(facts)))
    if facts.alert is not None:
        rows.append(("Open it", command(facts)))
    return rows


def remark(facts: Facts) -> str:
    """A second line where the sentence alone could mislead, else nothing."""
    return ("A test, sent by hand to see that this channel works: nothing has happened, the numbers are those of now."
            if facts.event == Event.TEST.value else "")


def spark_text(facts: Facts) -> str:
    """The last 48 hours as a line of bars, oldest first; a dot where nothing was attempted.

    Only an hour without events has the lowest bar of a volume. A rate's bars begin at its lowest hour.
    """
    low, top = _scale(facts)
    if facts.kind == AlertKind.DELIVERY_RATE.value:
        base = 0 if low == top else low
        return "".join(NO_ATTEMPTS if value < 0 else BARS[(value - base) * 7 // max(1, top - base)]
                       for value in facts.spark)
    return "".join(BARS[max(1, value * 7 // top) if value else 0] for value in facts.spark)


def scale_text(facts: Facts) -> str:
    """What the bars stand for: their lowest and highest hour."""
    low, top = _scale(facts)
    if facts.kind != AlertKind.DELIVERY_RATE.value:
        return f"one bar an hour, {low:,} to {events(top)}" if top else "no events"
    if low < 0:
        return "nothing was attempted"
    return f"one bar an hour, {percent_text(low)} % to {percent_text(top)} % delivered"


def _scale(facts: Facts) -> tuple[int, int]:
    said = [value for value in facts.spark if value >= 0]
    return min(said, default=-1), max(said, default=-1)


def _moment(hour: int) -> str:
    return f"{start_of(hour):%Y-%m-%d %H:%M}"


def _second(seconds: int) -> str:
    return f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%d %H:%M}"
