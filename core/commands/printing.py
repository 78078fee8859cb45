"""What commands print: JSON for programs, aligned plain columns for people; nothing in it can steer a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: stable keys, UTC times, decimals as text.")]


def plain(text: object) -> str:
    """`text` on one line without control characters or terminal escapes."""
    line = str(text)
    if line.isprintable():
        return line
    return " ".join("".join(mark if mark.isprintable() else " " for mark in line).split())


def say(text: object) -> None:
    """Print one line."""
    print(plain(text))


def print_json(value: object) -> None:
    """Print `value` as JSON; control characters are escaped by the format."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[int] = ()) -> None:
    """Print aligned columns; `right` are the indexes of those whose values stand to the right."""
    from rich.cells import cell_len

    cells = [[plain(value) for value in row] for row in [headings, *rows]]
    widths = [max(cell_len(row[at]) for row in cells) for at in range(len(headings))]
    for row in cells:
        parts = []
        for at, value in enumerate(row):
            space = " " * (widths[at] - cell_len(value))
            parts.append(space + value if at in right else value + space)
        print("  ".join(parts).rstrip())


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and values in two columns, leaving out what is None."""
    shown = {name: value for name, value in facts.items() if value is not None}
    width = max((len(name) for name in shown), default=0)
    for name, value in shown.items():
        print(f"{name:<{width}}  {plain(value)}".rstrip())


def number(value: int | None) -> str:
    """With thousands separators; a dash for None."""
    return "–" if value is None else f"{value:,}"


def percent(value: Decimal | None, *, sign: bool = False) -> str:
    """One decimal, cut so that no threshold is crossed; a dash for None."""
    from core.rules import cut_text

    if value is None:
        return "–"
    return f"{'+' if sign and value > 0 else ''}{cut_text(value)} %"


def moment(value: datetime | None) -> str:
    """To the minute, in UTC; a dash for None."""
    return "–" if value is None else f"{value:%Y-%m-%d %H:%M} UTC"
