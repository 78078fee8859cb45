"""The table over rows, in an app of its own: cursor, columns, widths, mouse, and what a refresh leaves alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip

from tests.tui.conftest import shows
from tui.widgets.row_table import Column, RowTable


@dataclass(frozen=True)
class Fruit:
    number: int
    name: str
    kind: str = "fruit"
    crates: int = 0


COLUMNS: list[Column[Fruit]] = [
    Column("Name", 10, lambda row: row.name, lambda row: row.name.casefold(), grows=True),
    Column("Kind", 8, lambda row: row.kind, rank=2),
    Column("Crates", 6, lambda row: f"{row.crates:,}", lambda row: row.crates, right=True, rank=1),
    Column("Curve", 6, lambda row: "▁▂▃▄▅▆", rank=3, searched=False),
]
PLUM, PEAR, FIG = Fruit(1, "Plum", "stone", 30), Fruit(2, "Pear", "pome", 20), Fruit(3, "Fig", "syconium", 1000)


class Watched(RowTable[Fruit]):
    """A table that counts the lines it drew."""

    lines = 0

    def render_line(self, y: int) -> Strip:
        self.lines += 1
        return super().render_line(y)


class Basket(App[None]):
    """A table alone, and what it said."""

    def __init__(self, rows: Sequence[Fruit]) -> None:
        super().__init__()
        self.fruits = rows
        self.said: list[Message] = []

    def compose(self) -> ComposeResult:
        yield Watched(COLUMNS, lambda row: row.number, empty="No fruit.")

    def on_mount(self) -> None:
        self.query_one(RowTable).show(self.fruits)
        self.query_one(RowTable).focus()

    def on_row_table_chosen(self, event: RowTable.Chosen) -> None:
        self.said.append(event)

    def on_row_table_menu(self, event: RowTable.Menu) -> None:
        self.said.append(event)

    def on_row_table_seen(self, event: RowTable.Seen) -> None:
        self.said.append(event)

    def heard(self, kind: type[Message]) -> list[Message]:
        return [message for message in self.said if type(message) is kind]


@asynccontextmanager
async def basket(
    rows: Sequence[Fruit], size: tuple[int, int] = (60, 12)
) -> AsyncIterator[tuple[Pilot[None], Basket, Watched]]:
    app = Basket(rows)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot, app, app.query_one(Watched)


def many(count: int = 100) -> list[Fruit]:
    return [Fruit(number, f"Fruit {number:03}", crates=number * 37 % 101) for number in range(count)]


def drawn(table: RowTable[Fruit]) -> list[str]:
    return [table.render_line(y).text for y in range(table.size.height)]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
async def test_the_row_under_the_cursor_stays_under_it_whatever_happens_to_the_others(data: st.DataObject) -> None:
    async with basket(many(60)) as (pilot, _, table):
        table.select(data.draw(st.integers(0, 59)))
        await pilot.pause()
        kept = table.selected
        assert kept is not None

        others = data.draw(st.sets(st.integers(0, 59)))
        table.show([row for row in many(60) if row.number in others or row.number == kept.number])
        table.sort_by(data.draw(st.sampled_from([0, 2])))
        await pilot.pause()
        table.filter_by(kept.name[-1])
        await pilot.pause()

        assert table.selected is not None
        assert table.selected.number == kept.number
        assert kept.number in [row.number for row in table.seen()]


async def test_a_refresh_keeps_the_line_of_the_selected_row_when_rows_come_above_it() -> None:
    async with basket(many(60)) as (pilot, _, table):
        table.select(40)
        await pilot.pause()
        line = table.cursor - table.scroll_offset.y

        table.show([Fruit(number, f"A {number}") for number in range(1000, 1005)] + many(60))
        await pilot.pause()

        assert table.selected == many(60)[40]
        assert table.cursor - table.scroll_offset.y == line


async def test_a_refresh_that_changes_nothing_draws_nothing() -> None:
    async with basket(many(60)) as (pilot, _, table):
        before = table.lines
        table.show(many(60))
        await pilot.pause()
        assert table.lines == before

        table.show([PLUM, *many(60)[1:]])
        await pilot.pause()
        assert table.lines == before + 1


async def test_a_row_that_goes_leaves_the_cursor_where_it_was() -> None:
    async with basket([PLUM, PEAR, FIG]) as (_, _, table):
        table.select(2)
        table.show([PLUM, FIG])
        assert table.selected == FIG
        table.show([PLUM])
        assert table.selected == PLUM
        table.show([])
        assert table.selected is None


async def test_a_filter_looks_into_text_whatever_its_case_and_not_into_numbers_or_curves() -> None:
    async with basket([PLUM, PEAR, FIG]) as (pilot, _, table):
        for text, found in (("PE", [PEAR]), ("stone", [PLUM]), ("", [PLUM, PEAR, FIG]), ("1,000", []), ("▁", []),
                            ("plumstone", [])):
            table.filter_by(text)
            assert table.rows == found, text
        await pilot.pause()
        assert any("Nothing matches “plumstone”." in line for line in drawn(table))


async def test_a_filter_that_drops_the_selected_row_selects_the_first_match() -> None:
    async with basket(many(60)) as (pilot, _, table):
        table.select(50)
        await pilot.pause()
        table.filter_by("fruit 00")
        await pilot.pause()

        assert table.selected == many(60)[0]
        assert table.seen()[0] == many(60)[0]


async def test_columns_go_by_rank_as_room_gets_short_and_the_first_grows() -> None:
    for width, titles in ((60, ["Name", "Kind", "Crates", "Curve"]), (34, ["Name", "Kind", "Crates"]),
                          (24, ["Name", "Crates"]), (16, ["Name"])):
        async with basket([PLUM], (width, 8)) as (_, _, table):
            header, line = drawn(table)[:2]
            assert header.split() == titles
            assert cell_len(header) == cell_len(line) == table.scrollable_content_region.width


NAMES = st.text(st.one_of(
    st.characters(codec="utf-8"),
    st.sampled_from("日本語カフェ한국어é\u0301\u0308\u200d\u202e\x1b[]🎉👩\u200d🔬ｗ\t\n")), max_size=40)


@settings(max_examples=25, deadline=None)
@given(names=st.lists(NAMES, min_size=1, max_size=8))
async def test_every_line_is_as_wide_as_the_table_and_steers_nothing(names: list[str]) -> None:
    async with basket([Fruit(number, name) for number, name in enumerate(names)], (40, 12)) as (_, _, table):
        for line in drawn(table):
            assert cell_len(line) == table.scrollable_content_region.width
            assert not {"\x1b", "\u202e", "\n", "\t", "\x9b"}.intersection(line)


async def test_wide_and_combining_characters_keep_the_columns_where_they_are() -> None:
    names = ["Plum", "日本語カフェ", "Cafe\u0301", "カ" * 40, "e\u0301" * 60]
    async with basket([Fruit(number, name) for number, name in enumerate(names)], (40, 12)) as (_, _, table):
        lines = drawn(table)[1:6]
        assert len({cell_len(line[:line.index("fruit")]) for line in lines}) == 1
        assert lines[3].count("…") == lines[4].count("…") == 1


async def test_s_and_a_click_on_the_header_sort_and_turn_the_order_round() -> None:
    async with basket([PLUM, PEAR, FIG]) as (pilot, _, table):
        await pilot.press("s")
        assert table.rows == [FIG, PEAR, PLUM]
        assert "Name ↑" in drawn(table)[0]
        await pilot.press("s")
        assert table.rows == [FIG, PLUM, PEAR]

        crates = drawn(table)[0].index("Crates")
        await pilot.click(table, offset=(crates + 1, 0))
        assert table.rows == [PEAR, PLUM, FIG]
        assert "Crates ↑" in drawn(table)[0]
        kind = drawn(table)[0].index("Kind")
        await pilot.click(table, offset=(kind + 1, 0))
        assert table.rows == [PEAR, PLUM, FIG]
        assert table.selected == PLUM


@pytest.mark.parametrize(("keys", "at"), [
    (["down", "down", "up"], 1), (["j", "j", "k"], 1), (["end"], 99), (["end", "home"], 0), (["k"], 0),
    (["end", "j"], 99), (["pagedown"], 10), (["pagedown", "pageup"], 0)])
async def test_keys_move_the_cursor_and_keep_it_in_sight(keys: list[str], at: int) -> None:
    async with basket(many()) as (pilot, _, table):
        await pilot.press(*keys)
        await pilot.pause()

        assert table.cursor == at
        assert table.selected in table.seen()


async def test_the_wheel_scrolls_and_leaves_the_cursor() -> None:
    async with basket(many()) as (pilot, app, table):
        before = len(app.heard(RowTable.Seen))
        table.post_message(events.MouseScrollDown(table, 3, 4, 0, 1, 0, False, False, False))
        await shows(pilot, lambda: table.scroll_offset.y > 0)

        assert table.cursor == 0
        assert len(app.heard(RowTable.Seen)) > before


async def test_enter_a_double_click_and_a_click_on_the_selected_row_open_it_once() -> None:
    async with basket([PLUM, PEAR, FIG]) as (pilot, app, table):
        await pilot.press("enter")
        assert [said.row for said in app.heard(RowTable.Chosen)] == [PLUM]

        await pilot.click(table, offset=(3, 2))
        assert (table.selected, len(app.heard(RowTable.Chosen))) == (PEAR, 1)
        await pilot.click(table, offset=(3, 2))
        assert len(app.heard(RowTable.Chosen)) == 2

        await pilot.click(table, offset=(3, 3), times=2)
        assert [said.row for said in app.heard(RowTable.Chosen)] == [PLUM, PEAR, FIG]


async def test_a_right_click_selects_the_row_and_asks_for_its_menu_where_it_was() -> None:
    async with basket([PLUM, PEAR, FIG]) as (pilot, app, table):
        await pilot.click(table, offset=(7, 3), button=3)

        asked = app.heard(RowTable.Menu)
        assert [(said.row, said.at) for said in asked] == [(FIG, table.region.offset + Offset(7, 3))]
        assert table.selected == FIG
        assert not app.heard(RowTable.Chosen)
        assert table.where(2).y == table.region.y + 4


async def test_the_row_under_the_mouse_is_marked_and_clicks_beside_rows_do_nothing() -> None:
    async with basket([PLUM, PEAR, FIG]) as (pilot, app, table):
        await pilot.hover(table, offset=(3, 2))
        assert table.hovered == 1
        await pilot.click(table, offset=(3, 9))

        assert table.selected == PLUM
        assert not app.heard(RowTable.Chosen)


async def test_what_comes_into_sight_is_told_with_the_rows_around_it() -> None:
    async with basket(many()) as (pilot, app, table):
        assert table.seen() == many()[:11]
        told = len(app.heard(RowTable.Seen))
        await pilot.press("end")
        await pilot.pause()

        assert len(app.heard(RowTable.Seen)) > told
        assert table.seen() == many()[-11:]
        assert table.seen(beyond=1) == many()[-22:]


async def test_an_empty_table_says_so() -> None:
    async with basket([]) as (_, _, table):
        assert any("No fruit." in line for line in drawn(table))
