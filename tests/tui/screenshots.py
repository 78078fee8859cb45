"""The pictures in the README, each drawn from the demo's workspace at a fixed time.

`python -m tests.tui.screenshots` writes the files in `screenshots/` anew.
"""

from __future__ import annotations

import asyncio
import html
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from textual.pilot import Pilot
from textual.widgets import Input
from textual.widgets._toast import Toast

from tests.tui.conftest import filled, settled, shows, standing
from tests.tui.test_snapshots import Look, create, destinations, into, own_menu, panel, sources
from tui.app import TocsinApp
from tui.themes import DARK, LIGHT

FOLDER = Path(__file__).parents[2] / "screenshots"
COMMAND = "python -m tests.tui.screenshots"
SIZE = (120, 36)
FONT = "'DejaVu Sans Mono', Menlo, 'Liberation Mono', Consolas, monospace"
CELL_W, CELL_H, BASELINE = 12.2, 24.4, 18.5
"""Pixels of one cell in Textual's SVG, and how far below a cell's top its text stands."""
FONT_PX = 20.27
"""At this size a letter of `FONT` is as wide as a cell, also where `textLength` is not known."""
BLOCKS = {
    **{mark: (0.0, 1 - rows / 8, 1.0, rows / 8) for rows, mark in enumerate("▁▂▃▄▅▆▇█", 1)},
    **{mark: (0.0, 0.0, columns / 8, 1.0) for columns, mark in enumerate("▏▎▍▌▋▊▉", 1)},
    "▀": (0.0, 0.0, 1.0, 0.5), "▔": (0.0, 0.0, 1.0, 0.125), "▐": (0.5, 0.0, 0.5, 1.0), "▕": (0.875, 0.0, 0.125, 1.0),
}
"""Left, top, width and height of the marks that bars and borders are made of, in parts of a cell."""
TEXT = re.compile(r'<text class="(?P<style>[\w-]+)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)"[^>]*>(?P<text>[^<]*)</text>')
MARKS = "".join(BLOCKS)
PIECE = re.compile(rf"([{MARKS}])\1*|[^\s{MARKS}]+(?: [^\s{MARKS}]+)*")
"""A run of one mark, or words one space apart."""


@dataclass(frozen=True, slots=True)
class Picture:
    """How to get to what is shown, and in which theme."""

    look: Look
    theme: str = DARK.name


async def _risen(pilot: Pilot[None]) -> None:
    await into(pilot, "search-service")


async def _creating(pilot: Pilot[None]) -> None:
    await create(pilot, "website", "20")


PICTURES = {
    "sources": Picture(sources), "connection": Picture(_risen), "create-alert": Picture(_creating),
    "notifications": Picture(panel), "actions": Picture(own_menu), "destinations": Picture(destinations, LIGHT.name),
}


async def drawn(name: str, store: Path) -> str:
    """The picture `name` as SVG text, from the demo's store at `store`, in which the visit leaves its traces."""
    picture = PICTURES[name]
    app = standing(store, theme=picture.theme)
    async with app.run_test(size=SIZE) as pilot:
        await picture.look(pilot)
        await settled(pilot)
        app.clear_notifications()
        for line in app.screen.query(Input):
            line.cursor_blink = False
        await shows(pilot, lambda: not app.screen.query(Toast))
        await settled(pilot)
        return framed(app, name)


def framed(app: TocsinApp, name: str) -> str:
    """What `app` shows, in its theme's colours, with no font from elsewhere, and the same text every time."""
    svg = app.export_screenshot(simplify=True)
    svg = re.sub(r"\s*@font-face \{.*?\}|\s*<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"terminal-\d+", name, svg)
    svg = svg.replace("Fira Code, monospace", FONT).replace("font-size: 20px", f"font-size: {FONT_PX}px")
    theme = app.current_theme
    svg = re.sub(r'<rect fill="[^"]+" stroke="[^"]+"', f'<rect fill="{theme.panel}" stroke="{theme.secondary}"', svg,
                 count=1)
    svg = re.sub(rf'(<text class="{name}-title") fill="[^"]+"', rf'\1 fill="{theme.secondary}"', svg)
    svg = re.sub(rf'<clipPath id="{name}-line-.*?</clipPath>\n?', "", svg, flags=re.DOTALL)
    svg = TEXT.sub(_painted, svg)
    return "".join(f"{line.rstrip()}\n" for line in svg.splitlines())


def _painted(found: re.Match[str]) -> str:
    """A text, each of its words where it belongs, its blocks as rectangles: fonts are narrower, and leave gaps."""
    left, top = float(found["x"]), float(found["y"]) - BASELINE
    shapes = ""
    for piece in PIECE.finditer(html.unescape(found["text"]).replace("\N{NO-BREAK SPACE}", " ")):
        part, at, length = piece[0], piece.start(), len(piece[0])
        if part[0] not in BLOCKS:
            shapes += (f'<text class="{found["style"]}" x="{left + at * CELL_W:.6g}" y="{found["y"]}" '
                       f'textLength="{length * CELL_W:.6g}">{html.escape(part, quote=False)}</text>\n')
            continue
        x, y, wide, high = BLOCKS[part[0]]
        # Only a mark as wide as its cell joins its neighbours; a thin one stands in each cell by itself.
        step = length if wide == 1 else 1
        for cell in range(at, at + length, step):
            shapes += (f'<rect class="{found["style"]}" x="{left + (cell + x) * CELL_W:.6g}" '
                       f'y="{top + y * CELL_H:.6g}" width="{wide * step * CELL_W:.6g}" '
                       f'height="{high * CELL_H + 0.25:.6g}" shape-rendering="crispEdges"/>\n')
    return shapes


def main() -> None:
    """Write every picture, and nothing else, into the folder."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.svg"):
        old.unlink()
    with TemporaryDirectory() as folder:
        demo = filled(Path(folder) / "demo.db")
        for name in PICTURES:
            copy = Path(shutil.copy(demo, Path(folder) / f"{name}.db"))
            (FOLDER / f"{name}.svg").write_text(asyncio.run(drawn(name, copy)), encoding="utf-8")


if __name__ == "__main__":
    main()
