"""A workspace with messages waiting: what the outbox tests start from."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from core.alert_spec import ChannelSpec
from core.channels.email import Mailer, parse_smtp_url
from core.channels.message import Facts
from core.channels.senders import Senders
from core.channels.slack import Slack
from core.clock import start_of
from core.model import Alert, AlertChannel, Notification
from core.terms import AlertKind, ChannelKind, Delivery, Event
from tests.core.acme import Acme, H

START = start_of(H) + timedelta(minutes=5)


class Hand:
    """A clock a test moves by hand."""

    speed = 1.0

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        """Where the hand points."""
        return self.at

    def on(self, **step: float) -> None:
        """Move on."""
        self.at += timedelta(**step)


def real_senders(clock: Hand, smtp_url: str | None = None, answer_s: float = 10.0) -> Senders:
    """The real channels, without chance in their retries."""
    server = parse_smtp_url(smtp_url) if smtp_url else None
    return Senders(Mailer(server, "Tocsin <bell@example.com>"), Slack(clock.now, answer_s),
                   server.name if server else "not set", chance=lambda: 0.5)


def waiting(acme: Acme, target: str, *, fold: str | None = None, at: datetime = START) -> int:
    """An alert by Ada on `website` with one channel, and one opening queued on it; the notification's id."""
    kind = ChannelKind.EMAIL if "@" in target else ChannelKind.SLACK
    with acme.store.write() as session:
        alert = Alert(connection_id=acme.website, kind=AlertKind.SOURCE_VOLUME, threshold=2000, created_by=acme.ada.id,
                      created_at=at)
        session.objects.add(alert)
        session.objects.flush()
        channel = AlertChannel(alert_id=alert.id or 0, kind=kind, target=target)
        session.objects.add(channel)
        session.objects.flush()
        facts = Facts(event="opened", kind="source_volume", alert=alert.id, connection="website",
                      connection_name="Website", threshold=2000, current=812, baseline=2801, window_start=H - 24,
                      window_end=H, spark=[100] * 24 + [30] * 24, set_by="Ada Lovelace",
                      set_by_email="ada@example.com")
        row = Notification(alert_id=alert.id, event=Event.OPENED, occasion=H, channel=kind, channel_id=channel.id,
                           recipient=target, body=msgspec.json.encode(facts).decode(), fold=fold,
                           state=Delivery.QUEUED, created_at=at, due_at=at)
        session.objects.add(row)
        session.objects.flush()
        return row.id or 0


def spec(target: str) -> ChannelSpec:
    """A channel as it is typed."""
    return ChannelSpec(ChannelKind.EMAIL if "@" in target else ChannelKind.SLACK, target)


def state(acme: Acme, notification: int) -> tuple[object, ...]:
    """(state, attempts, last_error) of a notification."""
    return acme.one(f"SELECT state, attempts, last_error FROM notification WHERE id = {notification}")


def change(acme: Acme, sql: str, **keys: object) -> None:
    """Change the store behind the program's back."""
    with acme.store.write() as session:
        session.connection().execute(sa.text(sql), keys)
