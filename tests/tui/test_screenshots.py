"""The README's pictures are what the screens look like now."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.tui.screenshots import COMMAND, FOLDER, PICTURES, drawn

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("name", PICTURES)
async def test_a_picture_is_what_the_screen_looks_like(demo_store: Path, tmp_path: Path, name: str) -> None:
    now = await drawn(name, Path(shutil.copy(demo_store, tmp_path / "demo.db")))

    file = FOLDER / f"{name}.svg"
    if not file.exists() or file.read_text(encoding="utf-8") != now:
        pytest.fail(f"screenshots/{name}.svg is out of date. Run: {COMMAND}", pytrace=False)


def test_every_picture_is_shown_in_the_readme_and_refers_to_nothing_outside() -> None:
    files = {file.stem: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.svg")}
    shown = re.findall(r"screenshots/([a-z-]+)\.svg", README.read_text(encoding="utf-8"))

    assert files.keys() == set(PICTURES) == set(shown)
    for text in files.values():
        assert "http" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert "@font-face" not in text
