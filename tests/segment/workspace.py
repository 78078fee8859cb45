"""What a Segment workspace holds, as its API words it, and a line to the fake that holds it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx

from core.intake.segment.client import Client

TOKEN = "secret-token"
OWNERSHIP = [{"roleId": "r1", "roleName": "Workspace Owner", "resources": [{"id": "ws1", "type": "WORKSPACE"}],
              "labels": []}]


def source(id_: str, name: str | None = None, **other: Any) -> dict[str, Any]:
    """A website source."""
    metadata = {"id": "m1", "name": "Javascript", "slug": "javascript", "categories": ["Website"],
                "isCloudEventSource": False, **other.pop("metadata", {})}
    return {"id": id_, "slug": f"{id_}_slug", "name": name or f"Source {id_}", "workspaceId": "ws1", "enabled": True,
            "writeKeys": ["never-kept"], "settings": {}, "labels": [], "metadata": metadata, **other}


def destination(id_: str, source_id: str, name: str | None = None, **other: Any) -> dict[str, Any]:
    """A cloud-mode destination."""
    metadata = {"id": "m2", "name": "Amplitude", "slug": "amplitude", "components": [{"type": "SERVER"}],
                "supportedFeatures": {"cloudModeInstances": "MULTIPLE", "deviceModeInstances": "SINGLE"},
                **other.pop("metadata", {})}
    return {"id": id_, "name": name or f"Destination {id_}", "enabled": True, "sourceId": source_id, "settings": {},
            "metadata": metadata, **other}


def user(id_: str, email: str, name: str = "Papa", *, owner: bool = False) -> dict[str, Any]:
    """A person."""
    return {"id": id_, "name": name, "email": email, "permissions": OWNERSHIP if owner else []}


def group(id_: str, *, owner: bool = False) -> dict[str, Any]:
    """A user group."""
    return {"id": id_, "name": f"Group {id_}", "memberCount": 1, "permissions": OWNERSHIP if owner else []}


class Timer:
    """A clock for waiting that jumps instead of waiting, and remembers each jump in seconds."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)

    def now(self) -> float:
        return self.at


@dataclass
class Segment:
    """The fake API: `hold` says what the workspace holds from now on and forgets what was asked."""

    url: str
    control: httpx.Client
    held: dict[str, Any] = field(default_factory=dict)

    def hold(self, **held: Any) -> None:
        self.held = held
        self.control.post("/_control", json=held).raise_for_status()

    def change(self, **held: Any) -> None:
        """The same workspace with some things different."""
        self.hold(**{**self.held, **held})

    @property
    def asked(self) -> list[str]:
        """Path and query of every request since `hold`."""
        return list(self.control.get("/_control").json()["log"])

    async def reached(self, number: int) -> None:
        """Return once the request of this number since `hold`, counted from 0, has been asked."""
        await asyncio.to_thread(self.control.get, "/_control", params={"asked": number}, timeout=30.0)

    @property
    def refused(self) -> list[str]:
        """What the fake found against its rules since `hold`."""
        return list(self.control.get("/_control").json()["refused"])

    @property
    def most_in_flight(self) -> int:
        """The most requests that were open at once since `hold`."""
        return int(self.control.get("/_control").json()["most_in_flight"])

    def client(self, timer: Timer | None = None, **options: Any) -> Client:
        """A client that jumps instead of waiting."""
        jumps = timer or Timer()
        return Client(options.pop("token", TOKEN), self.url, sleep=jumps.sleep, monotonic=jumps.now, **options)
