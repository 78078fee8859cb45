"""One command line from start to end: what is typed becomes one call, and an error becomes one line."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.commands.desk import Given
from core.errors import TocsinError

COMPLETION = "_TOCSIN_COMPLETE"
"""Set by a shell that asks for completions."""


@dataclass(frozen=True, slots=True)
class Screens:
    """What opens the screens: the dashboard (global options, collector, whether to schedule) and the demo."""

    dashboard: Callable[[Given, str | None, bool], None]
    demo: Callable[[int, float], None]


def main(argv: Sequence[str] | None = None, screens: Screens | None = None) -> int:
    """Run one command line (without the program's name; None: this process's own) and return its exit code.

    0 done, 1 refused or failed with one line on standard error, 2 bad usage, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that knows ASCII only shows ? rather than nothing
            stream.reconfigure(errors="replace")
    if words == ["--version"]:  # answered before anything is built: scripts ask it often
        from core.commands.version import version_line

        print(version_line())
        return 0
    try:
        _run(words, screens)
    except SystemExit as ended:
        return _flushed(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _quiet()
    except TocsinError as error:
        return _complain(str(error))
    except Exception as error:
        return _complain(_unexpected(error))
    return _flushed(0)


def _run(words: list[str], screens: Screens | None) -> None:
    if not words and screens is not None and COMPLETION not in os.environ:
        screens.dashboard(Given(), None, True)  # without typer, which would delay the first frame
        return
    from core.commands.root import program

    program(screens.dashboard if screens else None, screens.demo if screens else None)(args=words, prog_name="tocsin")


def _unexpected(error: Exception) -> str:
    """Write the traceback to the log, and say where it is."""
    import logging

    from core.log import log_to
    from core.settings import log_dir

    try:
        path = log_to(log_dir())
    except OSError:
        return f"something went wrong that should not have: {type(error).__name__}; there is no log to write it to."
    logging.getLogger("tocsin").error("unexpected", exc_info=error)
    return f"something went wrong that should not have: {type(error).__name__}; the details are in {path}."


def _complain(sentence: str) -> int:
    """Print the one line of an error; return the exit code."""
    from core.commands.printing import plain

    try:
        print(f"tocsin: {plain(sentence)}", file=sys.stderr)
    except BrokenPipeError:
        return _quiet()
    return 1


def _flushed(code: int) -> int:
    """Flush what was printed while a reader that went away can still be noticed."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _quiet()
    return code


def _quiet() -> int:
    """The reader went away: end without a complaint, also from the interpreter's own flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


if __name__ == "__main__":
    sys.exit(main())
