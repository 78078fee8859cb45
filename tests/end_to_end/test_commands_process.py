"""Commands as processes: what they import, how they end, and what a closed pipe or Ctrl-C does to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.clock import Hour, iso, start_of
from tests.end_to_end.desk import PROCESS, ROOT, Desk, process

HEAVY = ("sqlmodel", "sqlalchemy", "textual", "httpx", "aiohttp", "apscheduler", "rich")
LATER = ("sqlmodel", "pydantic", "sqlalchemy.orm", "alembic", "httpx", "aiohttp", "apscheduler")


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["alert", "--help"], ["alert", "create", "--help"], []])
def test_asking_for_help_imports_nothing_heavy(words: list[str]) -> None:
    program = ("import sys; from tui.cli import main; code = main(sys.argv[1:]); "
               f"print([name for name in {HEAVY} if name in sys.modules], code, file=sys.stderr)")

    ended = subprocess.run([sys.executable, "-c", program, *(words or ["--help"])], capture_output=True, text=True,
                           cwd=ROOT, timeout=120, check=True)

    assert ended.stderr == "[] 0\n"
    assert ended.stdout


def test_completion_imports_nothing_heavy_and_knows_the_commands() -> None:
    program = "import sys; from tui.cli import main; code = main([]); sys.exit(code)"
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=120,
        check=False, env=os.environ | {"_TOCSIN_COMPLETE": "complete_bash", "COMP_WORDS": "tocsin alert e",
                                       "COMP_CWORD": "2"})

    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert ended.stdout.split() == ["edit", "enable"]
    assert not imported.intersection(HEAVY)


def test_the_first_rows_wait_for_no_tables(own_home: Path) -> None:
    assert process("source", "add", "Website").code == 0
    program = f"""
import asyncio, sys
from core.clock import SystemClock
from core.settings import load_settings
from tui.engine import open_engine
from tui.screens.lists import SourcesView

engine = open_engine(load_settings(), SystemClock())
rows = asyncio.run(SourcesView(engine).rows(engine.now()))
print([row.name for row in rows], [name for name in {LATER} if name in sys.modules])
"""

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=120,
                           check=True)

    assert ended.stdout == "['Website'] []\n"


def test_version_help_refusal_and_bad_usage_as_a_process() -> None:
    assert process("--version").out.startswith("tocsin ")
    assert "Commands:" in process("-h").out
    refused = process("alert", "show", "1")
    assert (refused.code, refused.err) == (1, "tocsin: There is no alert 1.\n")
    assert process("alert", "show").code == 2
    assert "Traceback" not in process("alert", "show", "x").err


def test_a_setting_that_is_wrong_is_one_line(own_home: Path) -> None:
    own_home.mkdir()
    (own_home / "config.toml").write_text("colour = true\n")

    said = process("source", "list")

    assert (said.code, said.out) == (1, "")
    assert said.err == f"tocsin: {own_home}/config.toml sets colour, which is no setting; take it out, or see " \
                       "tocsin doctor for their names.\n"


def test_a_store_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear store,\n" * 100)

    said = process("--store", str(tmp_path / "letter.db"), "source", "list")

    assert said.code == 1
    assert said.err.count("\n") == 1
    assert said.err.startswith("tocsin: That is not a Tocsin store")


def test_a_reader_that_goes_away_is_no_complaint(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    rows = [f"website,{iso(start_of(Hour(400_000 + hour)))},received,1" for hour in range(20_000)]
    file.write_text("\n".join(["connection,hour,stage,count", *rows]) + "\n")
    desk.done("source", "add", "Website")
    assert desk.done("counts", "import", str(file)).out == "20,000 counts of 1 connections imported\n"

    with subprocess.Popen([*PROCESS, "counts", "export"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          cwd=ROOT) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        assert writer.stdout.readline() == b"connection,hour,stage,count\n"
        writer.stdout.close()
        complaint = writer.stderr.read()

    assert complaint == b""
    assert writer.returncode == 1


def test_ctrl_c_is_quiet(desk: Desk) -> None:
    desk.done("source", "add", "Website")
    with subprocess.Popen([*PROCESS, "counts", "import", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, cwd=ROOT) as reader:
        assert reader.stdin is not None
        reader.stdin.write(b"connection,hour,stage,count\n" + b"\n" * 200_000)  # returns once it is being read
        reader.stdin.flush()
        reader.send_signal(signal.SIGINT)
        _, complaint = reader.communicate(timeout=60)

    assert complaint == b""
    assert reader.returncode == 130


def test_output_goes_to_a_terminal_that_knows_ascii_only() -> None:
    assert process("source", "add", "Café 日本").code == 0

    said = process("source", "list", PYTHONIOENCODING="ascii")

    assert said.code == 0
    assert "Caf" in said.out


def test_no_color_or_not_the_output_is_plain(desk: Desk) -> None:
    desk.done("source", "add", "Website")

    plain, coloured = process("source", "list", NO_COLOR="1"), process("source", "list", FORCE_COLOR="1")

    assert plain.out == coloured.out
    assert "\x1b" not in plain.out + process("--help", FORCE_COLOR="1").out
