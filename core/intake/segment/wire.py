"""What Segment's Public API answers, as types; only the fields that are used. Source: facts page, section 4."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

V1 = "application/vnd.segment.v1+json"
V1_BETA = "application/vnd.segment.v1beta+json"
"""The delivery overview is in beta; everything else that is read here is stable."""

Count = Annotated[int, msgspec.Meta(ge=0, le=10**15)]


class Wire(msgspec.Struct, rename="camel", frozen=True):
    """A part of an answer; unknown fields are passed over, so that Segment may add some."""


class Envelope(msgspec.Struct, frozen=True):
    """A successful answer."""

    data: msgspec.Raw


class Page(Wire, frozen=True):
    """Where a page stands in its list; `next` is missing or null on the last one."""

    next: str | None = None
    total_entries: int | None = None


class Problem(Wire, frozen=True):
    """One entry of `errors`."""

    type: str = ""
    message: str | None = None
    field: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class Problems(Wire, frozen=True):
    """An answer that is an error."""

    errors: list[Problem]


class Wait(Wire, frozen=True):
    """The `data` of a 429's error."""

    ms_before_next: Annotated[float, msgspec.Meta(ge=0)]


class Workspace(Wire, frozen=True):
    """The workspace that a token belongs to."""

    id: str
    name: str
    slug: str = ""


class WorkspaceAnswer(Wire, frozen=True):
    """`GET /`."""

    workspace: Workspace


class SourceMetadata(Wire, frozen=True):
    """The catalogue's entry of a source's type."""

    name: str = ""
    slug: str = ""
    categories: list[str] = []
    is_cloud_event_source: bool = False


class Source(Wire, frozen=True):
    """A source. Its write keys are not read: they are secrets, and only Segment takes its events."""

    id: str
    slug: str
    enabled: bool
    name: str = ""
    metadata: SourceMetadata = SourceMetadata()


class Sources(Wire, frozen=True):
    """`GET /sources`."""

    sources: list[Source]
    pagination: Page


class Component(Wire, frozen=True):
    """One runtime of an integration: BROWSER, SERVER, ANDROID, IOS."""

    type: str = ""


class Features(Wire, frozen=True):
    """What an integration supports; 0 or NONE is nothing, 1 or SINGLE is one instance, MULTIPLE several."""

    cloud_mode_instances: str | int | None = None


class DestinationMetadata(Wire, frozen=True):
    """The catalogue's entry of a destination's type."""

    name: str = ""
    components: list[Component] | None = None
    supported_features: Features | None = None


class Destination(Wire, frozen=True):
    """A destination instance; `id` is what the delivery overview calls destinationConfigId."""

    id: str
    enabled: bool
    source_id: str
    name: str | None = None
    metadata: DestinationMetadata = DestinationMetadata()


class Destinations(Wire, frozen=True):
    """`GET /destinations`."""

    destinations: list[Destination]
    pagination: Page


class Resource(Wire, frozen=True):
    """What a permission is for."""

    id: str = ""
    type: str = ""


class Permission(Wire, frozen=True):
    """A role and what it applies to."""

    role_name: str = ""
    resources: list[Resource] = []


class User(Wire, frozen=True):
    """A person of the workspace."""

    id: str
    email: str
    name: str = ""
    permissions: list[Permission] = []


class Users(Wire, frozen=True):
    """`GET /users`."""

    users: list[User]
    pagination: Page


class Group(Wire, frozen=True):
    """A group of users; the list of one user's groups leaves the permissions out."""

    id: str
    permissions: list[Permission] = []


class UserGroups(Wire, frozen=True):
    """`GET /groups`."""

    user_groups: list[Group]
    pagination: Page


class GroupsOfUser(Wire, frozen=True):
    """`GET /users/{id}/groups`."""

    groups: list[Group]
    pagination: Page = Page()


class Point(Wire, frozen=True):
    """The events of one hour."""

    time: datetime
    count: Count


class SourceRef(Wire, frozen=True):
    """The source a volume series belongs to."""

    id: str


class VolumeSeries(Wire, frozen=True):
    """One source's volume; hours without events may be left out."""

    series: list[Point]
    source: SourceRef | None = None


class Volume(Wire, frozen=True):
    """`GET /events/volume`."""

    result: list[VolumeSeries]
    pagination: Page


class DeliverySeries(Wire, frozen=True):
    """One part of a delivery answer; `discard_reason` is there when the answer was asked for by reason."""

    series: list[Point]
    discard_reason: str | None = None


class DeliveryAnswer(Wire, frozen=True):
    """`GET /delivery-overview/…`."""

    dataset: list[DeliverySeries]
    pagination: Page = Page()
