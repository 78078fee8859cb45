"""Settings: the environment first, then `config.toml` in the user's config folder, then quiet defaults.

A plain reader: every start waits for it, and a validation library takes a tenth of a second to import.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from platformdirs import user_config_path, user_data_path, user_log_path

from core.channels.targets import HIDDEN, mask_url
from core.errors import InvalidInput

PREFIX = "TOCSIN_"
COLLECTOR = "127.0.0.1:8765"
SLACK_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")


def home() -> Path | None:
    """The folder that replaces the data, config and log folders, when TOCSIN_HOME names one."""
    given = os.environ.get(f"{PREFIX}HOME")
    return Path(given).expanduser().absolute() if given else None


def data_dir() -> Path:
    """Where the embedded store lives."""
    return home() or user_data_path("tocsin", appauthor=False)


def config_file() -> Path:
    """The settings file, whether it exists or not."""
    return (home() or user_config_path("tocsin", appauthor=False)) / "config.toml"


def log_dir() -> Path:
    """Where the log is written."""
    return home() or user_log_path("tocsin", appauthor=False)


class Secret:
    """A text that shows itself only when it is asked to."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return HIDDEN

    def __bool__(self) -> bool:
        return bool(self._value)

    def get_secret_value(self) -> str:
        """The text."""
        return self._value


@dataclass(frozen=True)
class Settings:
    """What is set. Secrets show as dots in every representation."""

    # A PostgreSQL URL may hold a password, so the address stays out of the representation too.
    store: str = field(default_factory=lambda: str(data_dir() / "tocsin.db"), repr=False)
    member: str | None = None
    collector: str = COLLECTOR
    smtp_url: Secret | None = None
    smtp_from: str = "tocsin@localhost"
    slack_hosts: tuple[str, ...] = SLACK_HOSTS
    segment_token: Secret | None = None
    segment_url: str | None = None

    @property
    def data_dir(self) -> Path:
        """Where the embedded store lives."""
        return data_dir()

    @property
    def config_dir(self) -> Path:
        """The folder of the settings file."""
        return config_file().parent

    @property
    def log_dir(self) -> Path:
        """Where the log is written."""
        return log_dir()


def load_settings(**given: str | None) -> Settings:
    """The settings in force; `given` (those that are not None) win. Raises InvalidInput naming the key and the file."""
    from_file = _file()
    chosen: dict[str, Any] = {}
    for key in NAMES:
        value = next((value for value in (given.get(key), os.environ.get(_variable(key)) or None, from_file.get(key))
                      if value is not None), None)
        if value is not None:
            try:
                chosen[key] = CHECKS.get(key, _text)(value)
            except ValueError as error:
                raise InvalidInput(_complaint(key, str(error)), key) from None
    for key in from_file:
        if key not in NAMES:
            raise InvalidInput(f"{config_file()} sets {key}, which is no setting; take it out, or see tocsin doctor "
                               "for their names.", key)
    return Settings(**chosen)


def _file() -> dict[str, Any]:
    if not config_file().is_file():
        return {}
    try:
        return tomllib.loads(config_file().read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{config_file()} is not valid TOML: {error}.") from None
    except OSError as error:
        raise InvalidInput(f"{config_file()} cannot be read: {error.strerror}.") from None


def _variable(key: str) -> str:
    return f"{PREFIX}{key.upper()}"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("it is a text, in quotes")
    return value


def _secret(value: object) -> Secret:
    return Secret(_text(value))


def _collector(value: object) -> str:
    """`off`, or HOST:PORT."""
    address = _text(value)
    if address != "off":
        host_port(address)
    return address


def _hosts(value: object) -> tuple[str, ...]:
    """A comma list, or a list in the file."""
    hosts = value.split(",") if isinstance(value, str) else value
    if not isinstance(hosts, list):
        raise ValueError("it is a list of hosts")
    return tuple(str(host).strip().lower() for host in hosts if str(host).strip())


NAMES = tuple(each.name for each in fields(Settings))
CHECKS: dict[str, Callable[[object], object]] = {
    "collector": _collector, "smtp_url": _secret, "slack_hosts": _hosts, "segment_token": _secret}


def _complaint(key: str, reason: str) -> str:
    """One sentence that names where the value was set, never the value: it may be a secret."""
    if os.environ.get(_variable(key)):
        where = f"The environment variable {_variable(key)}"
    else:
        where = f"The setting {key}" + (f" in {config_file()}" if config_file().exists() else "")
    return f"{where} is not acceptable: {reason.rstrip('.')}."


def host_port(text: str) -> tuple[str, int]:
    """`HOST:PORT` as its parts. Raises InvalidInput (a ValueError for the settings' own check)."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BadAddress(f"an address is HOST:PORT or off, not {text!r}")
    return host.strip("[]"), int(port)


class BadAddress(InvalidInput, ValueError):
    """An address that is not HOST:PORT."""


def described(settings: Settings) -> list[tuple[str, str, str]]:
    """For each setting its key, its value with secrets masked, and where it comes from."""
    try:
        from_file = tomllib.loads(config_file().read_text()) if config_file().exists() else {}
    except (OSError, tomllib.TOMLDecodeError):
        from_file = {}
    rows = []
    for name in NAMES:
        key = _variable(name)
        origin = "environment" if os.environ.get(key) else str(config_file()) if name in from_file else "default"
        rows.append((key, _shown(getattr(settings, name)), origin))
    return rows


def _shown(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, Secret):
        text = value.get_secret_value()
        return mask_url(text) if "://" in text else HIDDEN
    if isinstance(value, tuple):
        return ", ".join(value)
    return mask_url(str(value)) if "://" in str(value) else str(value)
