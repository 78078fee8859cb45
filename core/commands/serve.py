"""`tocsin serve`: collector and scheduler without a screen."""

from __future__ import annotations

from typing import Annotated

import typer

from core.commands.desk import settings_of
from core.commands.plugs import new_group

app = new_group("The service.")


@app.command()
def serve(
    context: typer.Context,
    collector: Annotated[str | None, typer.Option(
        metavar="HOST:PORT|off", help="Where to listen (TOCSIN_COLLECTOR; 127.0.0.1:8765).")] = None,
) -> None:
    """Count events, judge every hour and send messages until SIGTERM or Ctrl-C."""
    import asyncio

    settings = settings_of(context)
    from core.service import serve as run

    where = settings.collector if collector is None else collector
    asyncio.run(run(settings, None if where == "off" else where))
