"""Every word that leaves the house: compared with files that a person has read."""

from __future__ import annotations

import pytest

from tests.core.channels.golden import FOLDER, files

FILES = files()


@pytest.mark.parametrize("name", FILES)
def test_a_message_reads_as_it_was_reviewed(name: str) -> None:
    assert FILES[name] == (FOLDER / name).read_text(encoding="utf-8"), (
        "the wording changed: python -m tests.core.channels.golden writes the files anew, then read the difference")


def test_no_file_is_left_of_a_message_that_is_gone() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(FILES)
