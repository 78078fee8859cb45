"""The real program in a pseudo-terminal: it comes up, answers keys, ends cleanly, and is legible without colour."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.clock import SystemClock, hour_of
from core.intake import simulator
from core.store import open_store
from tests.terminal import TOCSIN, Terminal

GLYPHS = ("▲ firing", "● enabled", "○ disabled")


@pytest.fixture(scope="module")
def own_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's workspace as a store of one's own."""
    path, now = tmp_path_factory.mktemp("process") / "tocsin.db", SystemClock().now()
    store = open_store(str(path))
    simulator.populate(store, simulator.plan(1, hour_of(now)), now)
    store.close()
    return path


def leave(terminal: Terminal) -> None:
    terminal.press("q")
    assert terminal.end() == 0
    assert b"\x1b[?1049l" in terminal.written
    assert b"Traceback" not in terminal.written


def test_the_demo_comes_up_rings_answers_keys_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with Terminal([*TOCSIN, "demo"], settings={"TMPDIR": str(tmp_path)}) as terminal:
        terminal.until(lambda text: "Checkout API" in text and re.search(r"♪ [1-9]", text))
        assert [path.name[:12] for path in tmp_path.iterdir()] == ["tocsin-demo-"]

        terminal.press("g")
        terminal.until(lambda text: "s sources" in text)
        terminal.press("a")
        terminal.until(lambda text: "› Alerts" in text and "▲ firing" in text)
        terminal.press("?")
        terminal.until(lambda text: "right click" in text)
        terminal.press("\x1b")
        terminal.until(lambda text: "right click" not in text)
        leave(terminal)

    assert list(tmp_path.iterdir()) == []


def test_ctrl_q_ends_it_before_the_store_is_open(tmp_path: Path) -> None:
    with Terminal([*TOCSIN, "demo"], settings={"TMPDIR": str(tmp_path)}) as terminal:
        terminal.until(lambda text: "Opening the store" in text)
        terminal.press("\x11")
        assert terminal.end() == 0

    assert b"Traceback" not in terminal.written
    assert list(tmp_path.iterdir()) == []


def shown(store: Path, columns: int, rows: int, **settings: str) -> set[str]:
    """The colours of the list of sources, on which every state has its glyph."""
    command = [*TOCSIN, "--store", str(store), "--as", "ada@acme.example", "--collector", "off", "--no-scheduler"]
    with Terminal(command, columns=columns, rows=rows, settings=settings) as terminal:
        terminal.until(lambda text: all(glyph in text for glyph in GLYPHS))
        colours = terminal.colours
        leave(terminal)
    return colours


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24)])
def test_states_are_told_apart_without_colour(own_store: Path, columns: int, rows: int) -> None:
    colours = shown(own_store, columns, rows, NO_COLOR="1")

    assert all(len(set(re.findall("..", colour))) == 1 for colour in colours - {"default"}), colours


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24)])
def test_a_terminal_of_sixteen_colours_gets_no_others(own_store: Path, columns: int, rows: int) -> None:
    colours = shown(own_store, columns, rows, TERM="xterm-16color", COLORTERM="")

    assert len(colours) > 2
    assert not [colour for colour in colours if re.fullmatch("[0-9a-f]{6}", colour)], colours
