"""Settings: the environment first, then `config.toml` in the user's config folder, then quiet defaults."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from platformdirs import user_config_path, user_data_path, user_log_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from core.channels.targets import mask_url
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


class Settings(BaseSettings):
    """What is set. Secrets show as stars in every representation."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    # A PostgreSQL URL may hold a password, so the address stays out of the representation too.
    store: str = Field(default_factory=lambda: str(data_dir() / "tocsin.db"), repr=False)
    member: str | None = None
    collector: str = COLLECTOR
    smtp_url: SecretStr | None = None
    smtp_from: str = "tocsin@localhost"
    slack_hosts: Annotated[tuple[str, ...], NoDecode] = SLACK_HOSTS
    segment_token: SecretStr | None = None
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

    @field_validator("slack_hosts", mode="before")
    @classmethod
    def split_hosts(cls, value: object) -> object:
        """A comma list, or a list in the file."""
        hosts = value.split(",") if isinstance(value, str) else value
        return tuple(str(host).strip().lower() for host in hosts if str(host).strip()) if isinstance(
            hosts, (list, tuple)) else hosts

    @field_validator("collector")
    @classmethod
    def check_collector(cls, value: str) -> str:
        """`off`, or HOST:PORT."""
        if value != "off":
            host_port(value)
        return value

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed wins over the environment, and that over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())


def load_settings(**given: str | None) -> Settings:
    """The settings in force; `given` (those that are not None) win. Raises InvalidInput naming the key and the file."""
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return _build(chosen)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise InvalidInput(_complaint(str(first["loc"][0]) if first["loc"] else "", first["type"], first["msg"]),
                           str(first["loc"][0]) if first["loc"] else None) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{config_file()} is not valid TOML: {error}.") from None
    except OSError as error:
        raise InvalidInput(f"{config_file()} cannot be read: {error.strerror}.") from None


def _complaint(key: str, kind: str, reason: str) -> str:
    """One sentence that names where the value was set, never the value: it may be a secret."""
    if kind == "extra_forbidden":
        return f"{config_file()} sets {key}, which is no setting; take it out, or see tocsin doctor for their names."
    variable = f"{PREFIX}{key.upper()}"
    where = f"The environment variable {variable}" if os.environ.get(variable) else f"The setting {key}"
    if not os.environ.get(variable) and config_file().exists():
        where += f" in {config_file()}"
    return f"{where} is not acceptable: {reason.removeprefix('Value error, ').rstrip('.')}."


def _build(chosen: Mapping[str, Any]) -> Settings:
    return Settings(**chosen)


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
    for name in type(settings).model_fields:
        key = f"{PREFIX}{name.upper()}"
        origin = "environment" if os.environ.get(key) else str(config_file()) if name in from_file else "default"
        rows.append((key, _shown(getattr(settings, name)), origin))
    return rows


def _shown(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        return mask_url(text) if "://" in text else "••••"
    if isinstance(value, tuple):
        return ", ".join(value)
    return mask_url(str(value)) if "://" in str(value) else str(value)
