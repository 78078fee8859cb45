"""`tocsin serve` as a real process, and waiting for conditions instead of sleeping."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SERVE = [sys.executable, "-m", "tui.cli"]
ROOT = Path(__file__).parents[1]


@contextmanager
def serving(
    store: Path, collector: str = "127.0.0.1:0", **settings: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`tocsin serve` on `store`: the process and the line it printed. It is killed at the end."""
    process = subprocess.Popen(
        [*SERVE, "--store", str(store), "serve", "--collector", collector], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=os.environ | settings, cwd=ROOT)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def address_in(line: str) -> str:
    """The collector's URL in the line that `serve` prints."""
    found = re.search(r"http://[\d.]+:\d+", line)
    assert found, line
    return found.group()


def until(holds: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until `holds()` is true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        threading.Event().wait(0.05)
