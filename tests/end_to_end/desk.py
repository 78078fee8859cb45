"""A command line to type at: the exit code and what was printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.cli import main

PROCESS = [sys.executable, "-m", "tui.cli"]
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Said:
    """What one command answered."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> object:
        """The JSON it printed."""
        return json.loads(self.out)

    @property
    def item(self) -> dict[str, object]:
        """The JSON object it printed."""
        value = self.value
        assert isinstance(value, dict)
        return value

    @property
    def items(self) -> list[dict[str, object]]:
        """The JSON list it printed."""
        value = self.value
        assert isinstance(value, list)
        return value


class Desk:
    """Runs commands in this process, on the store of the test's own home."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *words: str, member: str | None = None) -> Said:
        """Run one command line, as another member if one is named."""
        self._capture.readouterr()
        code = main([*(["--as", member] if member else []), *words])
        printed = self._capture.readouterr()
        return Said(code, printed.out, printed.err)

    def done(self, *words: str, member: str | None = None) -> Said:
        """The same for a command that has to succeed."""
        said = self(*words, member=member)
        assert said.code == 0, said.err
        return said


def process(*words: str, **environment: str) -> Said:
    """Run one command line as a process of its own."""
    ended = subprocess.run([*PROCESS, *words], capture_output=True, text=True, cwd=ROOT, timeout=120, check=False,
                           env=os.environ | environment)
    return Said(ended.returncode, ended.stdout, ended.stderr)
