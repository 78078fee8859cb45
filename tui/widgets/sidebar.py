"""The places beside the page, each with how many there are."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

PLACES = {"sources": "Sources", "destinations": "Destinations", "alerts": "Alerts", "incidents": "Incidents",
          "members": "Members", "settings": "Settings"}
GROUPS = (("Connections", ("sources", "destinations")), ("Monitor", ("alerts", "incidents")),
          ("Workspace", ("members", "settings")))
ROOM = 16


class Sidebar(OptionList):
    """Answers with the place that was chosen, as the option's id."""

    DEFAULT_CSS = """
    Sidebar { width: 20; height: 100%; background: $surface; border: none; padding: 1 1; scrollbar-size-vertical: 0; }
    Sidebar:focus { border: none; background-tint: $foreground 0%; }
    """

    def __init__(self, id: str | None = None) -> None:
        entries: list[Option] = []
        for title, places in GROUPS:
            entries.append(Option(Content.styled(title, "$secondary"), disabled=True))
            entries += [Option(f"  {PLACES[place]}", id=place) for place in places]
        super().__init__(*entries, id=id)

    def tell(self, place: str, many: int, *, alarming: bool = False) -> None:
        """Show how many at the right of a place."""
        title = PLACES[place]
        short = f"{many}" if many < 1000 else f"{many / 1000:.1f}k" if many < 10_000 else f"{many // 1000}k"
        count, colour = (f"● {short}", "$error") if alarming else (short, "$secondary")
        room = max(1, ROOM - len(title) - len(count))
        self.replace_option_prompt(place, Content.assemble(f"  {title}", " " * room, (count, colour)))

    def stand_at(self, place: str) -> None:
        """Mark the place that is shown; a connection leaves its list marked."""
        if place in PLACES:
            self.highlighted = self.get_option_index(place)
        elif place == "welcome":
            self.highlighted = None
