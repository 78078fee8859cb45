"""What an alert would have said: thirty days with its incidents marked, in words, and how it stands now."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from core.clock import start_of
from core.foresight import Preview
from core.terms import AlertKind, Verdict
from tui.widgets.words import sparkline

LISTED = 3
USUAL = 46
Part = str | tuple[str, str]
STANDS = {Verdict.OK: "● would be quiet", Verdict.LEARNING: "◔ still learning", Verdict.NO_DATA: "∅ no data",
          Verdict.TOO_FEW: "◦ too few to judge", Verdict.UNKNOWN: "? nobody listened",
          Verdict.BREACHED: "▲ would fire"}


class Foreseen(Static):
    """The preview under a threshold."""

    def wait(self) -> None:
        """There is no threshold to look at yet."""
        self.update(Content.styled("Type a percentage to see what it would have said.", "$secondary"))

    def say(self, sentence: str) -> None:
        """It could not be worked out."""
        self.update(Content.styled(f"✕ {sentence}", "$error"))

    def show(self, found: Preview, kind: AlertKind) -> None:
        """Show what this threshold would have said."""
        parts: list[Part] = [(sparkline(found.spark, found.days), "$primary"),
                             (f"  last {found.days} days\n", "$secondary"),
                             (f"{_marks(found)}\n", "$error"), *_past(found, self.content_size.width or USUAL),
                             *_now(found, kind)]
        if found.chance_text:
            parts.append((f"\n{found.chance_text}", "$secondary"))
        for advice in found.advice[:1]:
            parts.append((f"\n{advice}", "$secondary"))
        self.update(Content.assemble(*parts))


def _marks(found: Preview) -> str:
    """A mark under each day on which an incident would have opened: colour is not the only carrier."""
    line = [" "] * found.days
    for item in found.incidents:
        line[item.mark] = "▲"
    return "".join(line).rstrip()


def _past(found: Preview, width: int) -> list[Part]:
    if not found.opened:
        return [f"Would have opened no incident in {found.days} days.\n\n"]
    word = "incident" if found.opened == 1 else "incidents"
    told = [f"{start_of(item.from_hour).astimezone():%a %-d %b} {item.worst_text}"
            for item in found.incidents[-LISTED:]]
    more = "… " if found.opened > LISTED else ""
    return [f"Would have opened {found.opened} {word} in {found.days} days:\n",
            (f"{more}{_lines(told, width - len(more))}\n", "$secondary")]


def _now(found: Preview, kind: AlertKind) -> list[Part]:
    if kind is AlertKind.DELIVERY_RATE:
        numbers = f"Now: {found.now_change_text} of {found.now_baseline:,} attempts\n"
    else:
        numbers = f"Now: {found.now_current:,} in 24 h, {found.now_baseline:,} before: {found.now_change_text}\n"
    colour = {Verdict.BREACHED: "bold $error", Verdict.OK: "$success"}.get(found.now_verdict, "$secondary")
    return [numbers, (STANDS.get(found.now_verdict, found.now_verdict.value), colour)]


def _lines(told: list[str], width: int) -> str:
    """Incidents side by side, broken only between them."""
    lines = [told[0]]
    for one in told[1:]:
        if len(lines[-1]) + 2 + len(one) < width:
            lines[-1] += f", {one}"
        else:
            lines[-1] += ","
            lines.append(one)
    return "\n".join(lines)
