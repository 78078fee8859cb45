"""A small workspace for the tests: two members, a source and a destination, and counts that cover their hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from core.access import Actor
from core.alert_spec import AlertSpec, ChannelSpec
from core.alerts import create_alert
from core.clock import Hour, start_of
from core.counts import cover, replace
from core.model import Connection, Member
from core.store import Store
from core.terms import AlertKind, Category, ChannelKind, ConnectionKind, CoverageKind, Mode, Role, Stage
from core.watch import PassReport, run_pass

H = Hour(500_000)
"""The hour that most tests judge."""
AT = start_of(H) + timedelta(minutes=5)
HOSTS = ("hooks.slack.com",)
IN_APP = ChannelSpec(ChannelKind.IN_APP)
EMAIL = ChannelSpec(ChannelKind.EMAIL, "team@example.com")
SLACK = ChannelSpec(ChannelKind.SLACK, "https://hooks.slack.com/services/T000/B000/secretsecret", "#data")


@dataclass
class Acme:
    """A store with Ada (owner), Grace (member), the source `website` and its destination `amplitude`."""

    store: Store
    ada: Actor
    grace: Actor
    website: int
    amplitude: int

    def alert(self, slug: str = "website", threshold: int = 2000, *channels: ChannelSpec, actor: Actor | None = None,
              **options: object) -> int:
        """An alert by Ada (or `actor`), in-app unless told otherwise."""
        kind = AlertKind.SOURCE_VOLUME if slug == "website" else AlertKind.DELIVERY_RATE
        spec = AlertSpec(kind, threshold, channels or (IN_APP,))
        for name, value in options.items():
            object.__setattr__(spec, name, value)
        with self.store.write() as session:
            return create_alert(session, actor or self.ada, slug, spec, start_of(H), HOSTS)

    def day(self, ends: int, count: int, stage: Stage = Stage.RECEIVED, connection: int | None = None) -> None:
        """`count` events an hour in the 24 hours before hour `ends`, imported."""
        self.counted({Hour(hour): count for hour in range(ends - 24, ends)}, stage, connection)

    def counted(self, hours: Mapping[Hour, int], stage: Stage = Stage.RECEIVED, connection: int | None = None) -> None:
        """These counts, imported: every hour from the first to the last is covered."""
        owner = connection or (self.website if stage is Stage.RECEIVED else self.amplitude)
        with self.store.write() as session:
            replace(session, {(owner, hour, stage): count for hour, count in hours.items()})
            cover(session, [(owner, Hour(min(hours)), Hour(max(hours) + 1))], CoverageKind.IMPORT)

    def judge(self, hour: int = H, now: datetime | None = None, *, dry_run: bool = False) -> PassReport:
        """One pass, five minutes after `hour`."""
        at = start_of(hour) + timedelta(minutes=5)
        return run_pass(self.store, at, now=now or at, dry_run=dry_run)

    def one(self, sql: str) -> tuple[object, ...]:
        """The only row of a query."""
        with self.store.read() as session:
            return tuple(session.connection().execute(sa.text(sql)).one())

    def all(self, sql: str) -> list[tuple[object, ...]]:
        """Every row of a query."""
        with self.store.read() as session:
            return [tuple(row) for row in session.connection().execute(sa.text(sql))]


def found(store: Store) -> Acme:
    """Write the workspace into an empty store."""
    made = start_of(H - 5000)
    with store.write() as session:
        ada = Member(email="ada@example.com", name="Ada Lovelace", role=Role.OWNER, created_at=made)
        grace = Member(email="grace@example.com", name="Grace Hopper", role=Role.MEMBER, created_at=made)
        website = Connection(kind=ConnectionKind.SOURCE, slug="website", name="Website", type="Javascript",
                             category=Category.EVENT_STREAMS, write_key="wk_website", created_at=made)
        session.objects.add_all([ada, grace, website])
        session.objects.flush()
        amplitude = Connection(kind=ConnectionKind.DESTINATION, slug="amplitude", name="Amplitude", type="Amplitude",
                               mode=Mode.CLOUD, source_id=website.id, created_at=made)
        session.objects.add(amplitude)
        session.objects.flush()
        assert ada.id
        assert grace.id
        assert website.id
        assert amplitude.id
        return Acme(store, Actor(ada.id, ada.email, ada.name, ada.role),
                    Actor(grace.id, grace.email, grace.name, grace.role), website.id, amplitude.id)


