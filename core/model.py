"""The tables. Nothing here acts.

Instants are kept as whole microseconds since 1970 (UTC) and hours as whole hours since 1970, so that SQLite's
STRICT tables and PostgreSQL hold the same integers and the named SQL is the same for both.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from core.columns import BIG, OneOf, enum, flag, instant, key, one_of, ref, text, whole
from core.terms import (
    AlertKind,
    Baseline,
    Category,
    ChannelKind,
    CloseReason,
    ConnectionKind,
    CoverageKind,
    Delivery,
    Direction,
    Event,
    Mode,
    Origin,
    Role,
    Stage,
    Verdict,
)

STRICT = {"sqlite_strict": True}
CLUSTERED = {"sqlite_strict": True, "sqlite_with_rowid": False}


class Workspace(SQLModel, table=True):
    """The one row that names the workspace."""

    __table_args__ = (sa.CheckConstraint("id = 1", name="only_one"), STRICT)
    id: int = Field(default=1, sa_column=sa.Column(BIG, primary_key=True, autoincrement=False))
    name: str = text()
    created_at: datetime = instant()


class Member(SQLModel, table=True):
    """A person. `account` is the operating-system account of the one who started the store."""

    __table_args__ = (
        one_of("role", Role),
        sa.Index("member_email", "email", unique=True, sqlite_where=sa.text("removed_at IS NULL"),
                 postgresql_where=sa.text("removed_at IS NULL")),
        STRICT,
    )
    id: int | None = key()
    email: str = text()
    name: str = text()
    role: Role = enum(Role)
    account: str | None = text(optional=True)
    segment_id: str | None = text(optional=True)
    created_at: datetime = instant()
    removed_at: datetime | None = instant(optional=True)


class Connection(SQLModel, table=True):
    """A source or a destination. `category` and `write_key` are a source's, `mode` and `source_id` a destination's."""

    __table_args__ = (
        one_of("kind", ConnectionKind), one_of("category", Category), one_of("mode", Mode), one_of("origin", Origin),
        sa.CheckConstraint("(kind = 'source' AND category IS NOT NULL AND source_id IS NULL AND mode IS NULL) OR "
                           "(kind = 'destination' AND mode IS NOT NULL AND source_id IS NOT NULL)", name="shape"),
        sa.Index("connection_slug", "slug", unique=True, sqlite_where=sa.text("removed_at IS NULL"),
                 postgresql_where=sa.text("removed_at IS NULL")),
        sa.Index("connection_write_key", "write_key", unique=True),
        sa.Index("connection_segment", "kind", "segment_id", unique=True),
        STRICT,
    )
    id: int | None = key()
    kind: ConnectionKind = enum(ConnectionKind)
    slug: str = text()
    name: str = text()
    type: str = text()
    category: Category | None = enum(Category, optional=True)
    mode: Mode | None = enum(Mode, optional=True)
    source_id: int | None = ref("connection.id", optional=True)
    write_key: str | None = text(optional=True)
    enabled: bool = flag(True)
    origin: Origin = enum(Origin, default=Origin.LOCAL)
    segment_id: str | None = text(optional=True)
    overridden: bool = flag(False)
    """Whether a person set the category or mode that a sync would otherwise infer."""
    first_hour: int | None = whole(optional=True)
    """The hour of its earliest count; every write of counts keeps it."""
    stale_since: datetime | None = instant(optional=True)
    """Set while a sync could not refresh its counts."""
    created_at: datetime = instant()
    removed_at: datetime | None = instant(optional=True)


class HourlyCount(SQLModel, table=True):
    """Events of one stage of one connection in one whole UTC hour, clustered so that a window is one range."""

    __tablename__ = "hourly_count"
    __table_args__ = (one_of("stage", Stage), sa.CheckConstraint("count >= 0", name="count_natural"), CLUSTERED)
    connection_id: int = Field(sa_column=sa.Column(BIG, sa.ForeignKey("connection.id"), primary_key=True))
    hour: int = Field(sa_column=sa.Column(BIG, primary_key=True))
    stage: Stage = Field(sa_column=sa.Column(OneOf(Stage), primary_key=True))
    count: int = whole()


class Listening(SQLModel, table=True):
    """A stretch of time in which one collector was listening; a heartbeat moves `until` on."""

    __table_args__ = (sa.CheckConstraint("until >= since", name="forwards"), STRICT)
    id: int | None = key()
    since: datetime = instant()
    until: datetime = instant(index=True)


class Coverage(SQLModel, table=True):
    """Hours of one connection that an import or a sync vouches for: from_hour up to, not including, until_hour."""

    __table_args__ = (one_of("kind", CoverageKind), sa.CheckConstraint("until_hour > from_hour", name="forwards"),
                      CLUSTERED)
    connection_id: int = Field(sa_column=sa.Column(BIG, sa.ForeignKey("connection.id"), primary_key=True))
    kind: CoverageKind = Field(sa_column=sa.Column(OneOf(CoverageKind), primary_key=True))
    from_hour: int = Field(sa_column=sa.Column(BIG, primary_key=True))
    until_hour: int = whole()


class SeenMessages(SQLModel, table=True):
    """The message ids of one group commit, eight bytes each, so that a restart still knows what was counted."""

    __tablename__ = "seen_messages"
    __table_args__ = (STRICT,)
    id: int | None = key()
    at: datetime = instant(index=True)
    ids: bytes = Field(sa_column=sa.Column(sa.LargeBinary(), nullable=False))


class Alert(SQLModel, table=True):
    """A threshold on one connection. `threshold` is in basis points: 20 % is 2,000."""

    __table_args__ = (
        one_of("kind", AlertKind), one_of("direction", Direction), one_of("baseline", Baseline),
        one_of("verdict", Verdict),
        sa.CheckConstraint("threshold BETWEEN 1 AND 100000 AND (kind = 'source_volume' OR threshold <= 10000)",
                           name="threshold_range"),
        sa.CheckConstraint("min_events >= 0", name="min_events_natural"),
        sa.CheckConstraint("reminder_hours IN (0, 24, 72)", name="reminder_known"),
        STRICT,
    )
    id: int | None = key()
    connection_id: int = ref("connection.id")
    kind: AlertKind = enum(AlertKind)
    threshold: int = whole()
    direction: Direction = enum(Direction, default=Direction.BOTH)
    baseline: Baseline = enum(Baseline, default=Baseline.DAY_BEFORE)
    min_events: int = whole(default=0)
    reminder_hours: int = whole(default=24)
    say_resolved: bool = flag(True)
    enabled: bool = flag(True)
    muted_until: datetime | None = instant(optional=True)
    created_by: int = ref("member.id")
    created_at: datetime = instant()
    deleted_at: datetime | None = instant(optional=True)
    disabled_reason: str | None = text(optional=True)
    """Why the store itself disabled it, for instance because its connection disappeared from Segment."""
    judged_hour: int | None = whole(optional=True)
    """The newest hour a pass judged; None until the first, and again after an edit."""
    verdict: Verdict | None = enum(Verdict, optional=True)


class AlertChannel(SQLModel, table=True):
    """Where an alert is sent. `target` is an address or a URL (a secret); in-app has none."""

    __tablename__ = "alert_channel"
    __table_args__ = (one_of("kind", ChannelKind),
                      sa.CheckConstraint("(kind = 'in_app') = (target IS NULL)", name="target_shape"), STRICT)
    id: int | None = key()
    alert_id: int = ref("alert.id")
    kind: ChannelKind = enum(ChannelKind)
    target: str | None = text(optional=True)
    label: str | None = text(optional=True)
    """The Slack channel's name, for people."""
    broken_since: datetime | None = instant(optional=True)
    broken_answer: str | None = text(optional=True)
    removed_at: datetime | None = instant(optional=True)


class Incident(SQLModel, table=True):
    """One stretch in which an alert's condition held. Numbers are those of the opening pass and the worst since."""

    __table_args__ = (
        one_of("close_reason", CloseReason),
        sa.CheckConstraint("(closed_at IS NULL) = (close_reason IS NULL)", name="closed_with_reason"),
        sa.Index("incident_one_open", "alert_id", unique=True, sqlite_where=sa.text("closed_at IS NULL"),
                 postgresql_where=sa.text("closed_at IS NULL")),
        STRICT,
    )
    id: int | None = key()
    alert_id: int = ref("alert.id")
    opened_at: datetime = instant()
    opened_hour: int = whole()
    closed_at: datetime | None = instant(optional=True)
    close_reason: CloseReason | None = enum(CloseReason, optional=True)
    quiet_hour: int | None = whole(optional=True)
    """The hour of the first of two quiet passes, while one has been seen."""
    told_hour: int | None = whole(optional=True)
    """The hour of the last opening or reminder queued; None while a mute kept it silent, 0 to be told again."""
    threshold: int = whole()
    current: int = whole()
    baseline: int | None = whole(optional=True)
    delivered: int | None = whole(optional=True)
    failed: int | None = whole(optional=True)
    worst_current: int = whole()
    worst_baseline: int | None = whole(optional=True)
    """The numbers furthest from the threshold; for a rate, delivered and attempts."""


class Notification(SQLModel, table=True):
    """One message on one channel to one recipient, with its delivery. `body` is the JSON of what it says."""

    __table_args__ = (
        one_of("event", Event), one_of("channel", ChannelKind), one_of("state", Delivery),
        sa.Index("notification_once", "incident_id", "event", "occasion", "channel_id", unique=True),
        sa.Index("notification_gap_once", "member_id", "occasion", unique=True,
                 sqlite_where=sa.text("event = 'gap'"), postgresql_where=sa.text("event = 'gap'")),
        sa.Index("notification_due", "due_at", sqlite_where=sa.text("state IN ('queued', 'sending')"),
                 postgresql_where=sa.text("state IN ('queued', 'sending')")),
        sa.Index("notification_bell", "member_id", "read_at"),
        STRICT,
    )
    id: int | None = key()
    alert_id: int | None = ref("alert.id", optional=True)
    incident_id: int | None = ref("incident.id", optional=True, index=False)
    event: Event = enum(Event)
    occasion: int = whole()
    """What it is unique for, within incident, event and channel: the judged hour, or microseconds of another moment."""
    channel: ChannelKind = enum(ChannelKind)
    channel_id: int | None = ref("alert_channel.id", optional=True)
    member_id: int | None = ref("member.id", optional=True, index=False)
    """Whose bell it rings (in-app only)."""
    recipient: str = text()
    """An address, a URL (a secret: mask it), or the member's email."""
    body: str = text()
    fold: str | None = text(optional=True)
    """Rows with the same fold leave as one message that lists them."""
    state: Delivery = enum(Delivery)
    attempts: int = whole(default=0)
    created_at: datetime = instant()
    due_at: datetime = instant()
    claimed_by: str | None = text(optional=True)
    claimed_until: datetime | None = instant(optional=True)
    sent_at: datetime | None = instant(optional=True)
    read_at: datetime | None = instant(optional=True)
    last_error: str | None = text(optional=True)


class Endpoint(SQLModel, table=True):
    """The health of one URL or mail server, shared by every channel that uses it. `name` never holds a secret."""

    __table_args__ = (STRICT,)
    name: str = Field(sa_column=sa.Column(sa.Text(), primary_key=True))
    """`smtp host:port`, or `slack ` and a digest of the URL."""
    held_until: datetime | None = instant(optional=True)
    last_at: datetime = instant()
    last_ok: bool = flag(True)
    last_answer: str = text()


class Pass(SQLModel, table=True):
    """One judged hour. The primary key makes it unique, whoever ran it."""

    __table_args__ = (STRICT,)
    hour: int = Field(sa_column=sa.Column(BIG, primary_key=True, autoincrement=False))
    at: datetime = instant()
    duration_us: int = whole()
    judged: int = whole()
    opened: int = whole()
    error: str | None = text(optional=True)


class Lease(SQLModel, table=True):
    """A named row that a process locks while it does what only one may do."""

    __table_args__ = (STRICT,)
    name: str = Field(sa_column=sa.Column(sa.Text(), primary_key=True))
    holder: str = text()
    taken_at: datetime = instant()


class Preference(SQLModel, table=True):
    """What a member's screens remember (theme, last screen, sorts), as JSON."""

    __table_args__ = (CLUSTERED,)
    member_id: int = Field(sa_column=sa.Column(BIG, sa.ForeignKey("member.id"), primary_key=True))
    name: str = Field(sa_column=sa.Column(sa.Text(), primary_key=True))
    value: str = text()


class SegmentLink(SQLModel, table=True):
    """The connected Segment workspace. The token is never here."""

    __tablename__ = "segment_link"
    __table_args__ = (sa.CheckConstraint("id = 1", name="only_one"), STRICT)
    id: int = Field(default=1, sa_column=sa.Column(BIG, primary_key=True, autoincrement=False))
    workspace_id: str = text()
    workspace_name: str = text()
    region: str = text()
    connected_at: datetime = instant()
    last_sync_at: datetime | None = instant(optional=True)
    last_error: str | None = text(optional=True)
    requests: int = whole(default=0)


TABLES = SQLModel.metadata.tables
"""Every table by its name."""
