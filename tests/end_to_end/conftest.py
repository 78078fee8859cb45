"""Workspaces that commands make once, and tests copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

Kept = Callable[[str, Callable[[], object]], None]


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where workspaces are kept."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture
def kept(homes: Path, own_home: Path) -> Kept:
    """Fill the test's home by what is given, or by a copy of what was made under the same name before."""

    def fill(name: str, make: Callable[[], object]) -> None:
        if (homes / name).exists():
            shutil.copytree(homes / name, own_home)
        else:
            make()
            shutil.copytree(own_home, homes / name)

    return fill
