"""What the README tells a newcomer to type on a server works as it stands, in its order, on an empty store."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT, address_in, serving

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block_after(heading: str) -> list[str]:
    """The lines of the first shell block below a heading, without their comments."""
    block = README.split(heading, 1)[1].split("```sh\n", 1)[1].split("```", 1)[0]
    return [re.split(r"\s{2,}# ", line)[0] for line in block.splitlines()]


def test_the_commands_for_a_server_do_what_they_say(own_home: Path) -> None:
    told: dict[str, str] = {}
    keys = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with serving(own_home / "tocsin.db", TOCSIN_SMTP_URL="") as (_, line):
        url = address_in(line)
        where = {"TOCSIN_COLLECTOR": url.removeprefix("http://"), "TOCSIN_STORE": str(own_home / "tocsin.db")}
        for command in block_after("## On a server")[1:]:
            key = told.get("tocsin source add Website", "").split()
            typed = command.replace("http://127.0.0.1:8765", url).replace("WRITE_KEY", key[-1] if key else "")
            done = subprocess.run(["bash", "-c", typed], env=os.environ | keys | where, cwd=ROOT, text=True,
                                  capture_output=True, check=False)
            if not command.startswith("tocsin doctor"):  # which complains, rightly, that no mail server is set
                assert done.returncode == 0, (command, done.stderr)
            told[command] = done.stdout

    assert '"success":true' in told[next(line for line in told if line.startswith("curl"))].replace(" ", "")
    assert re.search(r"^website,.*,received,1$", told["tocsin counts export"], re.MULTILINE)
    assert "Website" in told["tocsin source list"]
    assert "learning" in told["tocsin check"]
    assert "TOCSIN_SMTP_URL" in told["tocsin doctor"]


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`tocsin ((?:[a-z]+ ?){1,2})", README.replace("\n", " ")))))
def test_every_command_that_is_named_exists(command: str, own_home: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "tui.cli", *command.split(), "--help"], cwd=ROOT, text=True,
                          capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
