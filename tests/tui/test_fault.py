"""What nobody foresaw ends the dashboard with one line; the log has the rest."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.terminal import Terminal

BROKEN = """
import sys
from tui import cli
from tui.screens.shell import Shell

def fail(self):
    raise RuntimeError("the lamp is out")

Shell.action_help = fail
sys.exit(cli.main(["demo"]))
"""


def test_a_fault_ends_with_one_line_and_its_details_are_in_the_log(tmp_path: Path) -> None:
    with Terminal([sys.executable, "-c", BROKEN], settings={"TOCSIN_HOME": str(tmp_path)}) as terminal:
        terminal.until(lambda text: "Website" in text)
        terminal.press("?")
        terminal.until(lambda text: "went wrong" in text)

        assert "tocsin: something went wrong that should not have: RuntimeError" in terminal.text
        assert "Traceback" not in terminal.text
    assert "the lamp is out" in (tmp_path / "tocsin.log").read_text()
