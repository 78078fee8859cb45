"""Groups of commands whose modules are imported on first use, so that starting one pays for that one only."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TypeVar

import typer

HELP_NAMES = {"help_option_names": ["-h", "--help"]}
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Plug:
    """Where a command lives: a module of this package with `app`, and (None: the whole group) the command in it."""

    module: str
    command: str | None = None

    @property
    def path(self) -> str:
        """The module's full name."""
        return f"core.commands.{self.module}"

    def present(self) -> bool:
        """Whether the module is installed; nothing is imported."""
        return importlib.util.find_spec(self.path) is not None


class OnDemand(MutableMapping[str, C]):
    """Commands by name, made when they are first read; the names alone cost nothing."""

    def __init__(self, ready: Mapping[str, C], makers: Mapping[str, Callable[[], C]]) -> None:
        self._ready = dict(ready)
        self._makers = dict(makers)

    def __getitem__(self, name: str) -> C:
        """The command; the first time it is imported."""
        if name not in self._ready:
            self._ready[name] = self._makers[name]()
        return self._ready[name]

    def __setitem__(self, name: str, command: C) -> None:
        """Put a ready command in its place."""
        self._ready[name] = command

    def __delitem__(self, name: str) -> None:
        """Take a command out."""
        self._makers.pop(name, None)
        self._ready.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        """The names, those that are made on demand first."""
        return iter(list(dict.fromkeys([*self._makers, *self._ready])))

    def __len__(self) -> int:
        """How many there are."""
        return len({*self._makers, *self._ready})


def new_group(about: str) -> typer.Typer:
    """An empty group of commands, with plain help: names come from outside and are never read as markup."""
    return typer.Typer(help=about, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
                       add_completion=False, context_settings=HELP_NAMES)


def rooted(app: typer.Typer, plugs: Mapping[str, Plug]) -> typer.core.TyperGroup:
    """`app` (which has a callback) as the whole program, with its options for shell completion."""
    group = typer.main.get_command(app)
    if not isinstance(group, typer.core.TyperGroup):
        raise TypeError("a program without a callback is no group")
    return _plugged(group, plugs)


def built(app: typer.Typer, plugs: Mapping[str, Plug]) -> typer.core.TyperGroup:
    """`app` as a group, with those of `plugs` that are installed behind their names."""
    return _plugged(typer.main.get_group(app), plugs)


def _plugged(group: typer.core.TyperGroup, plugs: Mapping[str, Plug]) -> typer.core.TyperGroup:
    makers = {name: _maker(plug) for name, plug in plugs.items() if plug.present()}
    group.commands = _joined(group.commands, makers)
    return group


def _joined(ready: MutableMapping[str, C], makers: Mapping[str, Callable[[], C]]) -> MutableMapping[str, C]:
    return OnDemand(ready, makers)


def _maker(plug: Plug) -> Callable[[], typer.core.TyperGroup | typer.core.TyperCommand]:
    def make() -> typer.core.TyperGroup | typer.core.TyperCommand:
        module = importlib.import_module(plug.path)
        group = built(module.app, getattr(module, "PLUGS", {}))
        if plug.command is None:
            return group
        command = group.commands[plug.command]
        if not isinstance(command, typer.core.TyperGroup | typer.core.TyperCommand):
            raise TypeError(f"{plug.path} has no command {plug.command}")
        return command

    return make
