"""Two ways to use the app: by the keyboard alone, and by the mouse alone, with which only text is typed.

A hand finds what it is told by the words on the screen; it never calls the app's own methods.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any, Protocol

from textual import events
from textual.app import App
from textual.geometry import Offset, Region
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, OptionList, Tab

from tests.tui.conftest import settled, shows
from tui.screens.shell import LETTERS
from tui.sheets.sheet import Panel
from tui.widgets.bell import Bell
from tui.widgets.row_table import RowTable
from tui.widgets.sidebar import PLACES, Sidebar

PIECE = re.compile(r'<text [^>]*?x="([\d.]+)"[^>]*?textLength="([\d.]+)"[^>]*?line-(\d+)\)">([^<]*)</text>')
CELL = 12.2
"""How wide a cell is in an exported picture."""
EDGES = " ▌▏│"
"""What stands between a text and the edge of its box."""
MANY = 80
"""More presses of a key, or turns of the wheel, than it takes to reach anything."""


def picture(app: App[None]) -> list[str]:
    """What stands on the screen, line by line, one character a cell."""
    lines = [[" "] * app.size.width for _ in range(app.size.height)]
    for left, wide, line, text in PIECE.findall(app.export_screenshot()):
        at, cells = round(float(left) / CELL), round(float(wide) / CELL)
        shown = html.unescape(text).replace("\xa0", " ").rstrip("\n")
        lines[int(line)][at:at + cells] = list(shown.ljust(cells)[:cells])
    return ["".join(line[:app.size.width]) for line in lines]


def says(app: App[None], text: str, within: Widget | None = None) -> bool:
    """Whether `text` can be read, be it broken into lines: inside a widget, or on the sheet, or on the whole screen."""
    region = (within or next(iter(app.screen.query(Panel)), app.screen)).region
    lines = [line[region.x:region.right].strip(EDGES) for line in picture(app)[region.y:region.bottom]]
    return " ".join(text.split()) in " ".join(" ".join(lines).split())


def where(app: App[None], text: str, within: Region | None = None, after: str = "") -> Offset | None:
    """The first cell of `text` on the screen, inside a region; `after` is what stands before it on its line."""
    region = within or app.screen.region
    for y, line in enumerate(picture(app)[region.y:region.bottom], region.y):
        begin = line.find(after, region.x)
        x = line.find(text, begin + len(after), region.right) if begin >= 0 else -1
        if x >= 0:
            return Offset(x, y)
    return None


class Hand(Protocol):
    """What one does in the app, whichever way."""

    async def go(self, place: str) -> None:
        """Go to a place of the sidebar, by its title."""

    async def tab(self, title: str) -> None:
        """Select a tab."""

    async def open(self, name: str) -> None:
        """Open a row of the list by its name."""

    async def push(self, label: str) -> None:
        """Push a button."""

    async def write(self, field: str, text: str) -> None:
        """Write `text` into a field instead of what is in it; `field` is its id."""

    async def tick(self, label: str, on: bool = True) -> None:
        """Tick a box, or clear it."""

    async def actions(self, threshold: str) -> None:
        """Open the Actions menu of the alert with this threshold."""

    async def choose(self, label: str) -> None:
        """Choose an entry of the open menu."""

    async def ring(self) -> None:
        """Open the notifications."""

    async def follow(self, words: str) -> None:
        """Follow the notification that has these words."""


class Keyboard:
    """Keys alone."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self._pilot = pilot
        self._app = pilot.app

    async def _until(self, key: str, holds: Callable[[], object]) -> None:
        for _ in range(MANY):
            if holds():
                return
            await self._pilot.press(key)
        raise AssertionError(f"{key} does not lead there")

    async def go(self, place: str) -> None:
        await self._pilot.press("g", next(key for key, name in LETTERS.items() if PLACES[name] == place))

    async def tab(self, title: str) -> None:
        titles = [str(tab.label) for tab in self._app.screen.query(Tab)]
        await self._pilot.press(str(next(at for at, told in enumerate(titles, 1) if told.startswith(title))))

    async def open(self, name: str) -> None:
        table = await self._table()
        await self._pilot.press("home")
        await self._until("down", lambda: getattr(table.selected, "name", None) == name)
        await self._pilot.press("enter")

    async def push(self, label: str) -> None:
        await self._until("tab", lambda: isinstance(self._app.focused, Button) and label in str(
            self._app.focused.label))
        await self._pilot.press("enter")

    async def write(self, field: str, text: str) -> None:
        await self._until("tab", lambda: self._app.focused and self._app.focused.id == field)
        await self._pilot.press("end", "ctrl+u")
        await typed(self._pilot, text)

    async def tick(self, label: str, on: bool = True) -> None:
        box = box_of(self._app, label)
        await self._until("tab", lambda: self._app.focused is box)
        if box.value != on:
            await self._pilot.press("space")

    async def actions(self, threshold: str) -> None:
        table = await self._table()
        await self._pilot.press("home")
        await self._until("down", lambda: where(self._app, threshold, line_of(table)))
        await self._pilot.press("a")

    async def choose(self, label: str) -> None:
        menu = await self._menu()
        await self._until("down", lambda: prompt(menu).startswith(label))
        await self._pilot.press("enter")

    async def ring(self) -> None:
        await self._pilot.press("b")

    async def follow(self, words: str) -> None:
        menu = await self._menu()
        await self._until("down", lambda: words in prompt(menu))
        await self._pilot.press("enter")

    async def _table(self) -> RowTable[Any]:
        await shows(self._pilot, lambda: isinstance(self._app.focused, RowTable) and self._app.focused.rows)
        assert isinstance(self._app.focused, RowTable)
        return self._app.focused

    async def _menu(self) -> OptionList:
        await shows(self._pilot, lambda: isinstance(self._app.focused, OptionList) and self._app.focused.option_count)
        assert isinstance(self._app.focused, OptionList)
        return self._app.focused


class Mouse:
    """Clicks and the wheel alone; only what is written into a field is typed."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self._pilot = pilot
        self._app = pilot.app

    async def _click(self, text: str, within: Callable[[], Widget], after: str = "", times: int = 1) -> None:
        found: list[Offset] = []

        def there() -> bool:
            place = where(self._app, text, within().region, after)
            found[:] = [place] if place else []
            return bool(found)

        await shows(self._pilot, there)
        under, region = self._app.get_widget_at(*found[0])
        assert await self._pilot.click(under, offset=found[0] - region.offset, times=times)

    async def go(self, place: str) -> None:
        if self._app.screen.query_one(Sidebar).display:
            await self._click(place, lambda: self._app.screen.query_one(Sidebar))
        else:
            await self._click("palette", lambda: self._app.screen)
            await self._click(f"Go to {place.lower()}", lambda: self._app.screen.query_one(OptionList))

    async def tab(self, title: str) -> None:
        await self._click(title, lambda: next(
            tab for tab in self._app.screen.query(Tab) if str(tab.label).startswith(title)))

    async def open(self, name: str) -> None:
        """A double click, and once more by whoever sees that the list is still there: it may just have been renewed."""
        for _ in range(MANY):
            await settled(self._pilot)
            if says(self._app, f"› {name}"):
                return
            table = self._app.screen.query(RowTable).first()
            if table.rows and where(self._app, name, table.region):
                await self._click(name, self._app.screen.query(RowTable).first, times=2)
            else:
                await wheel(self._pilot, table.region)
        raise AssertionError(f"{name} does not open")

    async def push(self, label: str) -> None:
        button = await self._reach(lambda: next(
            button for button in self._app.screen.query(Button) if label in str(button.label)))
        assert await self._pilot.click(button)

    async def write(self, field: str, text: str) -> None:
        place = await self._reach(lambda: self._app.screen.query_one(f"#{field}"))
        assert isinstance(place, Input)
        assert await self._pilot.click(place, offset=(place.size.width - 1, 0))
        await self._pilot.press(*["backspace"] * len(place.value))
        await typed(self._pilot, text)

    async def tick(self, label: str, on: bool = True) -> None:
        box = await self._reach(lambda: box_of(self._app, label))
        assert isinstance(box, Checkbox)
        if box.value != on:
            assert await self._pilot.click(box, offset=(1, 0))

    async def actions(self, threshold: str) -> None:
        await self._click("⋮", lambda: self._app.screen.query_one(RowTable), after=threshold)

    async def choose(self, label: str) -> None:
        await self._click(label, lambda: self._app.screen.query_one(OptionList))

    async def ring(self) -> None:
        assert await self._pilot.click(Bell)

    async def follow(self, words: str) -> None:
        await self._click(words, lambda: self._app.screen.query_one(OptionList))

    async def _reach(self, find: Callable[[], Widget]) -> Widget:
        """Turn the wheel over what scrolls until the widget is in sight."""
        await shows(self._pilot, lambda: find().region.area)
        widget = find()
        scroll = next((node for node in widget.ancestors if isinstance(node, Widget) and node.max_scroll_y), None)
        for _ in range(MANY):
            if scroll is None or widget.region in scroll.content_region:
                return widget
            down = widget.region.y >= scroll.content_region.bottom
            await wheel(self._pilot, scroll.content_region, down=down)
        raise AssertionError(f"the wheel does not bring {widget} into sight")


async def typed(pilot: Pilot[None], text: str) -> None:
    """Type a text; a URL is pasted, as everybody does."""
    if text.startswith("http"):
        pilot.app.post_message(events.Paste(text))
        await pilot.pause()
    else:
        await pilot.press(*text)


async def wheel(pilot: Pilot[None], over: Region, *, down: bool = True) -> None:
    """Turn the wheel by one notch, as a terminal reports it."""
    turned = events.MouseScrollDown if down else events.MouseScrollUp
    x, y = over.x + over.width // 2, over.y + over.height // 2
    pilot.app.post_message(turned(None, x, y, 0, 0, 0, False, False, False, x, y))
    await pilot.pause()


def box_of(app: App[None], label: str) -> Checkbox:
    """The box with this label."""
    return next(box for box in app.screen.query(Checkbox) if str(box.label) == label)


def prompt(menu: OptionList) -> str:
    """The entry that is highlighted."""
    return "" if menu.highlighted is None else str(menu.get_option_at_index(menu.highlighted).prompt)


def line_of(table: RowTable[Any]) -> Region:
    """The line on the screen on which the cursor stands."""
    inside = table.content_region
    return Region(inside.x, inside.y + 1 + table.cursor - table.scroll_offset.y, inside.width, 1)
