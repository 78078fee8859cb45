"""What the Public API does not say outright: a source's category, a destination's mode, who owns the workspace. Pure.

Source: facts page, section 2.6 (right for about 99 of 100 entries of Segment's catalogue) and 4.6.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.intake.segment.wire import DestinationMetadata, Permission, SourceMetadata
from core.terms import Category, Mode, Role

EVENT_STREAMS = frozenset({"website", "mobile", "server", "ott"})
OWNER = "Workspace Owner"


def category(metadata: SourceMetadata) -> Category:
    """The tab of the Sources screen that a source belongs to."""
    named = {name.strip().lower() for name in metadata.categories}
    if metadata.is_cloud_event_source:
        return Category.CLOUD_APP
    if named & EVENT_STREAMS:
        return Category.EVENT_STREAMS
    return Category.REVERSE_ETL if "warehouse" in named else Category.CLOUD_APP


def mode(metadata: DestinationMetadata) -> Mode:
    """Cloud when the integration can run on Segment's servers, else device."""
    features = metadata.supported_features
    if features is not None and str(features.cloud_mode_instances).upper() in ("0", "NONE") \
            and features.cloud_mode_instances is not None:
        return Mode.DEVICE
    if not metadata.components:
        return Mode.CLOUD
    return Mode.CLOUD if any(part.type.upper() == "SERVER" for part in metadata.components) else Mode.DEVICE


def mode_seen(attempts: int, sent_by_device: bool) -> Mode | None:
    """The mode that a destination's deliveries betray, or None while they say nothing."""
    if attempts:
        return Mode.CLOUD
    return Mode.DEVICE if sent_by_device else None


def grants_ownership(permissions: Iterable[Permission]) -> bool:
    """Whether one of these permissions is the workspace owner's."""
    return any(permission.role_name == OWNER and any(resource.type == "WORKSPACE" for resource in permission.resources)
               for permission in permissions)


def role(owner: bool) -> Role:
    """The role that ownership gives."""
    return Role.OWNER if owner else Role.MEMBER
