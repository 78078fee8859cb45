"""The real program in a pseudo-terminal: keys go in, and what stands on its screen comes out."""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pexpect
import pyte

ROOT = Path(__file__).parents[1]
TOCSIN = [sys.executable, "-m", "tui.cli"]
OF_ANOTHER_TERMINAL = ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES")
COLOURS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


class Terminal:
    """A program in a terminal of its own. Leaving the block ends the program, whatever state it is in."""

    def __init__(
        self, command: Sequence[str], *, columns: int = 120, rows: int = 40, settings: Mapping[str, str] | None = None,
    ) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in OF_ANOTHER_TERMINAL}
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._came: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        self.written = b""
        """Every byte that the program wrote."""
        self.began = time.perf_counter()
        self._child = pexpect.spawn(command[0], list(command[1:]), dimensions=(rows, columns), cwd=str(ROOT),
                                    env=kept | COLOURS | dict(settings or {}))
        # A thread, because the program stops whenever the pseudo-terminal's few kilobytes are full.
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close(force=True)

    @property
    def text(self) -> str:
        """The screen, line by line, as of what was waited for."""
        return "\n".join(self._screen.display)

    @property
    def colours(self) -> set[str]:
        """Every colour on the screen, by its name in a terminal of sixteen or as six digits; none is `default`."""
        cells = [cell for line in self._screen.buffer.values() for cell in line.values()]
        return {cell.fg for cell in cells} | {cell.bg for cell in cells}

    def press(self, keys: str) -> float:
        """Type `keys`; return when."""
        now = time.perf_counter()
        os.write(self._child.child_fd, keys.encode())
        return now

    def until(self, holds: Callable[[str], object], seconds: float = 60.0) -> float:
        """Wait until `holds` of the screen's text; return when the bytes came that made it so."""
        deadline, moment = time.perf_counter() + seconds, time.perf_counter()
        while not holds(self.text):
            try:
                moment, part = self._came.get(timeout=max(0.0, deadline - time.perf_counter()))
            except queue.Empty:
                raise AssertionError(f"it did not show in {seconds:.0f} s:\n{self.text}") from None
            assert part, f"the program ended:\n{self.text}"
            self._stream.feed(part)
        return moment

    def settled(self, silence: float = 0.15) -> float:
        """Wait until nothing was written for `silence` seconds; return when the last bytes came (0: none came)."""
        moment, parts = 0.0, []
        while True:
            try:
                came, part = self._came.get(timeout=silence)
            except queue.Empty:
                break
            assert part, f"the program ended:\n{self.text}"
            moment = came
            parts.append(part)
        # Only now, because the emulator would keep the reading thread from noting when the next bytes came.
        self._stream.feed(b"".join(parts))
        return moment

    def answer(self, keys: str, holds: Callable[[str], object] = bool) -> float:
        """Type `keys`; return the seconds until the last byte of the settled screen, of which `holds` is true."""
        self.settled()
        pressed, moment = self.press(keys), 0.0
        while not moment or not holds(self.text):
            assert time.perf_counter() < pressed + 60, f"nothing came of {keys!r}:\n{self.text}"
            moment = max(moment, self.settled())
        return moment - pressed

    def end(self, seconds: float = 60.0) -> int:
        """Wait until the program has ended by itself; return its exit code, or minus the signal."""
        deadline = time.perf_counter() + seconds
        while True:
            try:
                _, part = self._came.get(timeout=max(0.0, deadline - time.perf_counter()))
            except queue.Empty:
                raise AssertionError(f"it did not end in {seconds:.0f} s:\n{self.text}") from None
            if not part:
                break
            self._stream.feed(part)
        self._child.wait()
        return -int(self._child.signalstatus) if self._child.signalstatus else int(self._child.exitstatus or 0)

    def _read(self) -> None:
        while True:
            try:
                part = os.read(self._child.child_fd, 65_536)
            except OSError:  # Linux says so when the other side is gone
                part = b""
            self.written += part
            self._came.put((time.perf_counter(), part))
            if not part:
                return
