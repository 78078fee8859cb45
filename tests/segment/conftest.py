"""The fake Segment: one process for the run, its workspace set anew by each test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.segment.workspace import Segment, Timer


@pytest.fixture(scope="session")
def segment_address() -> Iterator[str]:
    """Where the fake API listens."""
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("fake_api.py"))],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    yield f"http://127.0.0.1:{json.loads(process.stdout.readline())}"
    process.stdin.close()
    process.wait(10)


@pytest.fixture(scope="session")
def control(segment_address: str) -> Iterator[httpx.Client]:
    """The control line to the fake API."""
    with httpx.Client(base_url=segment_address, trust_env=False) as line:
        yield line


@pytest.fixture
def segment(segment_address: str, control: httpx.Client) -> Segment:
    """The fake API, its workspace empty."""
    found = Segment(segment_address, control)
    found.hold()
    return found


@pytest.fixture
def timer() -> Timer:
    return Timer()
