"""The program around every command: its global options, the dashboard when no command is named, and the demo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from core.commands.desk import Given
from core.commands.plugs import HELP_NAMES, Plug, rooted
from core.commands.version import version_line

Dashboard = Callable[[Given, str | None, bool], None]
"""Opens the dashboard: global options, collector, whether to schedule."""
Demo = Callable[[int, float], None]
"""Opens the demo: seed, speed."""
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


def program(dashboard: Dashboard | None, demo: Demo | None) -> typer.core.TyperGroup:
    """The whole program; without the two that open the screens it prints its help instead, and has no demo."""
    return rooted(_root(dashboard, demo), PLUGS)


def _root(dashboard: Dashboard | None, show: Demo | None) -> typer.Typer:
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
            if dashboard is None:
                print(context.get_help())
            else:
                dashboard(context.obj, collector, not no_scheduler)
        elif collector is not None or no_scheduler:
            raise typer.BadParameter("--collector and --no-scheduler before a command are the dashboard's.")

    if show is not None:
        @root.command()
        def demo(
            seed: Annotated[int, typer.Option(help="The same seed shows the same workspace.")] = 1,
            speed: Annotated[float, typer.Option(min=1, max=3600, help="How many times as fast as real time.")] = 180,
        ) -> None:
            """Open the dashboard on a throw-away store with simulated traffic; nothing leaves the machine."""
            show(seed, speed)

    return root
