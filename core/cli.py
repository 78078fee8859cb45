"""The `tocsin` commands without a screen: what is typed becomes one call, and an error becomes one line."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from core.commands.desk import Given
from core.commands.plugs import HELP_NAMES, Plug, rooted
from core.commands.printing import plain
from core.errors import TocsinError

PLUGS = {
    "serve": Plug("serve", "serve"),
    "check": Plug("check", "check"),
    "deliver": Plug("deliver", "deliver"),
    "source": Plug("source"),
    "destination": Plug("destination"),
    "alert": Plug("alert"),
    "incident": Plug("incident"),
    "notification": Plug("notification"),
    "counts": Plug("counts"),
    "member": Plug("member"),
    "segment": Plug("segment"),
    "export": Plug("alertfile", "export"),
    "apply": Plug("alertfile", "apply"),
    "doctor": Plug("doctor", "doctor"),
}
"""Every command by name. A module that is not installed leaves its commands out."""


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
        print(version_line())
        return 0
    try:
        rooted(_root(screens), PLUGS)(args=words, prog_name="tocsin")
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


def version_line() -> str:
    """What `--version` prints."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"tocsin {version('tocsin')}"
    except PackageNotFoundError:
        return "tocsin (not installed)"


def _root(screens: Screens | None) -> typer.Typer:
    root = typer.Typer(help="Connections alerting for event pipelines, in a terminal.", rich_markup_mode=None,
                       pretty_exceptions_enable=False, context_settings=HELP_NAMES)

    @root.callback(invoke_without_command=True)
    def everything(
        context: typer.Context,
        store: Annotated[str | None, typer.Option(metavar="URL|PATH", help="The store (TOCSIN_STORE).")] = None,
        member: Annotated[str | None, typer.Option(
            "--as", metavar="EMAIL", help="The member who asks (TOCSIN_MEMBER).")] = None,
        collector: Annotated[str | None, typer.Option(
            metavar="HOST:PORT|off", help="The dashboard's collector (TOCSIN_COLLECTOR).")] = None,
        no_scheduler: Annotated[bool, typer.Option(
            "--no-scheduler", help="The dashboard neither judges nor sends.")] = False,
        version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    ) -> None:
        """Connections alerting for event pipelines, in a terminal. Without a command: the dashboard."""
        if version:
            print(version_line())
            raise typer.Exit
        context.obj = Given(store, member)
        if context.invoked_subcommand is None:
            if screens is None:
                print(context.get_help())
            else:
                screens.dashboard(context.obj, collector, not no_scheduler)
        elif collector is not None or no_scheduler:
            raise typer.BadParameter("--collector and --no-scheduler before a command are the dashboard's.")

    if screens is not None:
        opens = screens.demo

        @root.command()
        def demo(
            seed: Annotated[int, typer.Option(help="The same seed shows the same workspace.")] = 1,
            speed: Annotated[float, typer.Option(min=1, max=3600, help="How many times as fast as real time.")] = 180,
        ) -> None:
            """Open the dashboard on a throw-away store with simulated traffic; nothing leaves the machine."""
            opens(seed, speed)

    return root


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
