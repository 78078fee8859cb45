"""The closed sets of values that rows, rules and screens share. Nothing here knows a table."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a member may do beyond their own alerts."""

    OWNER = "workspace_owner"
    MEMBER = "workspace_member"


class ConnectionKind(StrEnum):
    """A connection is a source or a destination."""

    SOURCE = "source"
    DESTINATION = "destination"


class Category(StrEnum):
    """The tab of the Sources screen; only event streams carry alerts."""

    EVENT_STREAMS = "event_streams"
    CLOUD_APP = "cloud_app"
    REVERSE_ETL = "reverse_etl"


class Mode(StrEnum):
    """How a destination is reached; only cloud-mode destinations carry alerts."""

    CLOUD = "cloud"
    DEVICE = "device"


class Origin(StrEnum):
    """Who counts a connection's events: this store's own doors, or a Segment workspace."""

    LOCAL = "local"
    SEGMENT = "segment"


class Stage(StrEnum):
    """Where in the delivery pipeline events were counted."""

    RECEIVED = "received"
    DELIVERED = "delivered"
    FAILED = "failed"
    FILTERED = "filtered"


class AlertKind(StrEnum):
    """The two rules of the reference page."""

    SOURCE_VOLUME = "source_volume"
    DELIVERY_RATE = "successful_delivery_rate"


class Direction(StrEnum):
    """Which changes of a source's volume count."""

    BOTH = "both"
    DROP = "drop"
    SPIKE = "spike"


class Baseline(StrEnum):
    """What the current 24 hours are compared with."""

    DAY_BEFORE = "day_before"
    WEEK_BEFORE = "week_before"


class ChannelKind(StrEnum):
    """Where an alert is sent."""

    EMAIL = "email"
    SLACK = "slack"
    IN_APP = "in_app"


class Verdict(StrEnum):
    """What one pass says of one alert."""

    OK = "ok"
    BREACHED = "breached"
    LEARNING = "learning"
    NO_DATA = "no_data"
    TOO_FEW = "too_few"
    UNKNOWN = "unknown"
    DISABLED = "disabled"


class CloseReason(StrEnum):
    """Why an incident is no longer open."""

    RESOLVED = "resolved"
    EDITED = "edited"
    ALERT_DISABLED = "alert_disabled"
    ALERT_DELETED = "alert_deleted"
    CONNECTION_DISABLED = "connection_disabled"
    CONNECTION_REMOVED = "connection_removed"


class Event(StrEnum):
    """What a notification is about."""

    OPENED = "opened"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    TEST = "test"
    CHANNEL_FAILED = "channel_failed"
    GAP = "gap"


class Delivery(StrEnum):
    """The state of a notification."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


class CoverageKind(StrEnum):
    """What vouches for a connection's hours when the collector was not listening."""

    IMPORT = "import"
    SYNC = "sync"
