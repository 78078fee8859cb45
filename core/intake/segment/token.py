"""The Public API token: from the environment or the settings file, which only its owner may read."""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InvalidInput
from core.intake.segment.client import check_token

if TYPE_CHECKING:
    from core.settings import Settings

VARIABLE = "TOCSIN_SEGMENT_TOKEN"
KEY = "segment_token"


def find_token(settings: Settings) -> str | None:
    """The token to use now, or None.

    The file is read again each time, so that a process that has been running for days takes up a token that
    `tocsin segment connect` has renewed.
    """
    saved = _saved(_file(settings))
    given = settings.segment_token.get_secret_value() if settings.segment_token else None
    return os.environ.get(VARIABLE, "").strip() or saved or given or None


def save_token(settings: Settings, token: str) -> None:
    """Keep the token in the settings file, mode 0600. Raises InvalidInput when the file cannot be written."""
    save_value(settings, KEY, check_token(token))


def forget_token(settings: Settings) -> None:
    """Take the token out of the settings file; the environment is the user's own."""
    if KEY in _table(_file(settings)):
        save_value(settings, KEY, None)


def save_value(settings: Settings, key: str, value: str | None) -> None:
    """Set one top-level text value of the settings file (None takes it out) and leave every other line as it is."""
    path = _file(settings)
    _table(path)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    header = next((at for at, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    top = [line for line in lines[:header] if not re.match(rf"\s*{key}\s*=", line)]
    new = [] if value is None else [f"{key} = {json.dumps(value)}"]
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _put(path, "\n".join([*top, *new, *lines[header:]]) + "\n")
    except OSError as error:
        raise InvalidInput(f"The settings file {path} cannot be written: {error.strerror}.") from error


def _put(path: Path, text: str) -> None:
    """Replace the file in one step; a new temporary file is readable by its owner only."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".config-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _file(settings: Settings) -> Path:
    return Path(settings.config_dir) / "config.toml"


def _saved(path: Path) -> str | None:
    value = _table(path).get(KEY)
    return value.strip() if isinstance(value, str) else None


def _table(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"The settings file {path} cannot be read: {type(error).__name__}; correct it first."
                           ) from None
