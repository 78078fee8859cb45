"""Make the store's alerts as a file says: first the plan of every change, then all of them in one transaction.

Which alert of the file is which of the store: those of one connection, kind and creator belong together. Among them the
ones that are equal pair up first, then those with the same threshold, then the rest in order. So a file can be sorted
anew or lose an alert without the others being taken for changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import col, select

from core.access import Action, Actor
from core.alert_rows import AlertRow, alert_rows
from core.alert_spec import AlertSpec, ChannelSpec
from core.alertfile import HIDDEN, KEY_OF, PLACEHOLDER, REMINDER_OF, AlertFile, Named, Wanted, placeholder
from core.alerts import checked, create_alert, delete_alert, edit_alert
from core.channels.targets import mask, parse_email
from core.connections import add_destination, add_source
from core.errors import InvalidInput, NotAllowed, TocsinError
from core.members import add_member
from core.model import Connection, Member
from core.rules import percent_text
from core.store import Session, take_lease
from core.terms import AlertKind, Category, ChannelKind, ConnectionKind, Mode, Role

LEASE = "pass"
"""A pass that runs meanwhile waits: it would judge what is about to change."""
Group = tuple[str, AlertKind, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One key of an alert that changes; URLs are masked."""

    key: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do. `does` is create, change or delete; `what` member, connection or alert."""

    does: str
    what: str
    subject: str
    differences: tuple[Difference, ...] = ()
    alert: int | None = None
    named: Named | None = None
    wanted: Wanted | None = None
    spec: AlertSpec | None = None

    def as_json(self) -> dict[str, object]:
        """The item of `apply --json`."""
        return {"does": self.does, "what": self.what, "subject": self.subject, "alert": self.alert, "differences": [
            {"key": item.key, "old": item.old, "new": item.new} for item in self.differences]}


@dataclass(frozen=True, slots=True)
class Plan:
    """Every change, in the order in which it is made: members, connections, then alerts as the file has them."""

    changes: tuple[Change, ...]
    kept: int
    """How many alerts stay as they are."""

    def count(self, does: str) -> int:
        """How many changes of one sort there are."""
        return sum(change.does == does for change in self.changes)


def plan(
    session: Session, actor: Actor, file: AlertFile, now: datetime, *, environment: Mapping[str, str],
    slack_hosts: Sequence[str], prune: bool = False,
) -> Plan:
    """What applying `file` as `actor` would do; nothing is written.

    `environment` holds the Slack URLs behind placeholders. What the store already holds needs no variable.
    Raises NotAllowed or InvalidInput, naming file, line and key, for the first thing that cannot be done.
    """
    rows = alert_rows(session, actor, now)
    present = session.objects.exec(select(Member.email).where(col(Member.removed_at).is_(None)))
    people = {email.lower() for email in present}
    held = _held(session)
    pairs = _paired(file.alerts, rows, environment)
    fresh = [wanted for wanted, row in pairs if row is None]
    changes = [*_people(fresh, file, actor, people), *_connections(fresh, file, held)]
    known = {named.slug: _carries(named.kind, named.category, named.mode) for named in file.connections} | held
    for wanted, row in pairs:
        if row is None:
            _may_create(wanted, actor, people, file, known)
        spec = _resolved(wanted, row, environment, slack_hosts)
        if row is None:
            changes.append(Change("create", "alert", _subject(wanted.slug, spec, wanted.creator), _new(spec),
                                  wanted=wanted, spec=spec))
        elif differences := _differences(row.spec, spec):
            reason = row.refused[Action.EDIT]
            if reason:
                raise NotAllowed(f"{wanted.place.file}, line {wanted.place.line}: {reason}.")
            changes.append(Change("change", "alert", _subject(row.connection, row.spec, row.created_by), differences,
                                  row.id, wanted=wanted, spec=spec))
    there = {row.id for _, row in pairs if row is not None}
    gone = [row for row in rows if row.id not in there]
    for row in gone if prune else ():
        reason = row.refused[Action.DELETE]
        if reason:
            raise NotAllowed(f"Alert {row.id} is not in the file, but {reason}.")
        changes.append(Change("delete", "alert", _subject(row.connection, row.spec, row.created_by), alert=row.id))
    return Plan(tuple(changes), len(rows) - sum(change.alert is not None for change in changes))


def apply(
    session: Session, actor: Actor, file: AlertFile, now: datetime, *, environment: Mapping[str, str],
    slack_hosts: Sequence[str], prune: bool = False,
) -> Plan:
    """Plan and do it, in the session's transaction; return what was done. Raises as `plan` does, then nothing is done.

    Applying the same file again finds nothing to do.
    """
    take_lease(session, LEASE, now)  # the plan stays true until it is done
    planned = plan(session, actor, file, now, environment=environment, slack_hosts=slack_hosts, prune=prune)
    for change in planned.changes:
        try:
            _do(session, actor, change, now, slack_hosts)
        except InvalidInput as error:
            if change.wanted is not None:
                key = error.field or "connection"
                raise change.wanted.at(key).wrong(key, str(error)) from None
            if change.named is not None:
                raise change.named.place.wrong(error.field or change.named.slug, str(error)) from None
            raise
    return planned


def _do(session: Session, actor: Actor, change: Change, now: datetime, slack_hosts: Sequence[str]) -> None:
    if change.what == "member":
        add_member(session, actor, change.subject, change.differences[0].new, Role.MEMBER, now)
    elif change.named is not None:
        _make(session, change.named, now)
    elif change.does == "delete" and change.alert is not None:
        delete_alert(session, actor, change.alert, now)
    elif change.spec is not None and change.alert is not None:
        edit_alert(session, actor, change.alert, change.spec, now, slack_hosts)
    elif change.spec is not None and change.wanted is not None:
        creator = session.objects.exec(select(Member).where(
            Member.email == change.wanted.creator, col(Member.removed_at).is_(None))).one()
        if creator.id is None:
            raise AssertionError("a stored row has an id")
        maker = Actor(creator.id, creator.email, creator.name, creator.role)
        create_alert(session, maker, change.wanted.slug, change.spec, now, slack_hosts)


def _make(session: Session, named: Named, now: datetime) -> None:
    if named.kind is ConnectionKind.SOURCE:
        add_source(session, named.name, slug=named.slug, type=named.type,
                   category=named.category or Category.EVENT_STREAMS, now=now)
    else:
        add_destination(session, named.name, named.source or "", slug=named.slug, type=named.type,
                        mode=named.mode or Mode.CLOUD, now=now)


def _people(fresh: Sequence[Wanted], file: AlertFile, actor: Actor, people: set[str]) -> list[Change]:
    """The creators of new alerts who are no members yet: an owner adds them as members."""
    needed = {wanted.creator for wanted in fresh if wanted.creator not in people}
    changes = []
    for address, (called, place) in file.members.items():
        if address not in needed:
            continue
        if not actor.is_owner:
            raise NotAllowed(f"{place.file}, line {place.line}, members: {address} is not a member yet, and only a "
                             "workspace owner can add members.")
        changes.append(Change("create", "member", address, (Difference("name", "", called),)))
    return changes


def _connections(
    fresh: Sequence[Wanted], file: AlertFile, held: Mapping[str, AlertKind | None]
) -> list[Change]:
    """The connections that new alerts need and the store lacks, sources first; others are left alone."""
    by_slug = {named.slug: named for named in file.connections}
    missing = {wanted.slug for wanted in fresh if wanted.slug not in held and wanted.slug in by_slug}
    for slug in sorted(missing):
        source = by_slug[slug].source
        if source is not None and source not in held:
            if source not in by_slug or by_slug[source].kind is not ConnectionKind.SOURCE:
                raise by_slug[slug].place.wrong("source", f"there is no source called {source}.")
            missing.add(source)
    order = sorted(missing, key=lambda slug: (by_slug[slug].kind is ConnectionKind.DESTINATION, slug))
    return [Change("create", "connection", f"{by_slug[slug].kind.value} {slug}", named=by_slug[slug])
            for slug in order]


def _held(session: Session) -> dict[str, AlertKind | None]:
    """For each connection of the store, the kind of alert it carries."""
    rows = session.objects.exec(select(Connection.slug, Connection.kind, Connection.category, Connection.mode).where(
        col(Connection.removed_at).is_(None)))
    return {slug: _carries(ConnectionKind(kind), Category(category) if category else None, Mode(mode) if mode else None)
            for slug, kind, category, mode in rows}


def _carries(kind: ConnectionKind, category: Category | None, mode: Mode | None) -> AlertKind | None:
    if kind is ConnectionKind.SOURCE:
        return AlertKind.SOURCE_VOLUME if category is Category.EVENT_STREAMS else None
    return AlertKind.DELIVERY_RATE if mode is Mode.CLOUD else None


def _may_create(
    wanted: Wanted, actor: Actor, people: set[str], file: AlertFile, known: Mapping[str, AlertKind | None]
) -> None:
    if wanted.slug not in known:
        raise wanted.at("connection").wrong("connection", f"there is no connection called {wanted.slug}.")
    if known[wanted.slug] is not wanted.spec.kind:
        key = KEY_OF[wanted.spec.kind]
        carrier = "an event-streams source" if key == "change" else "a cloud-mode destination"
        raise wanted.at(key).wrong(key, f"{wanted.slug} is not {carrier}.")
    if wanted.creator != actor.email.lower() and not actor.is_owner:
        raise NotAllowed(f"{wanted.at('creator').file}, line {wanted.at('creator').line}, creator: only a workspace "
                         f"owner can create an alert for {wanted.creator}.")
    if wanted.creator not in people and wanted.creator not in file.members:
        raise wanted.at("creator").wrong("creator", f"there is no member {wanted.creator}.")


def _paired(
    wanted: Sequence[Wanted], rows: Sequence[AlertRow], environment: Mapping[str, str]
) -> list[tuple[Wanted, AlertRow | None]]:
    """Each alert of the file with its alert of the store, in the file's order."""
    groups: dict[Group, list[AlertRow]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        groups.setdefault((row.connection, row.kind, row.created_by.lower()), []).append(row)
    found: dict[int, AlertRow] = {}
    likes: tuple[Callable[[Wanted, AlertRow], bool], ...] = (
        lambda item, row: _equal(item, row, environment),
        lambda item, row: item.spec.threshold == row.spec.threshold,
        lambda _item, _row: True)
    for like in likes:
        for at, item in enumerate(wanted):
            left = groups.get((item.slug, item.spec.kind, item.creator), [])
            match = next((row for row in left if like(item, row)), None) if at not in found else None
            if match is not None:
                found[at] = match
                left.remove(match)
    return [(item, found.get(at)) for at, item in enumerate(wanted)]


def _equal(item: Wanted, row: AlertRow, environment: Mapping[str, str]) -> bool:
    channels = tuple(_known(channel, row, environment) for channel in item.spec.channels)
    return not _differences(row.spec, replace(item.spec, channels=channels))


def _resolved(
    wanted: Wanted, row: AlertRow | None, environment: Mapping[str, str], slack_hosts: Sequence[str]
) -> AlertSpec:
    """The alert with its placeholders filled in, in normal form. Raises InvalidInput with file, line and key."""
    channels = tuple(_known(channel, row, environment) for channel in wanted.spec.channels)
    for channel in channels:
        key, target = channel.kind.value, channel.target or ""
        if target == HIDDEN:
            raise wanted.at(key).wrong(key, "it was hidden from whoever exported this; write it out.")
        if channel.kind is ChannelKind.SLACK and (name := PLACEHOLDER.fullmatch(target)):
            raise wanted.at(key).wrong(key, f"set {name[1]} in the environment to the Slack URL it stands for.")
    spec = replace(wanted.spec, channels=channels)
    if row is not None and (row.refused[Action.EDIT] or not _differences(row.spec, spec)):
        return spec  # what may not be changed, or is not, need not be checked
    try:
        return checked(spec, slack_hosts)
    except InvalidInput as error:
        key = error.field or "connection"
        raise wanted.at(key).wrong(key, str(error)) from None


def _known(channel: ChannelSpec, row: AlertRow | None, environment: Mapping[str, str]) -> ChannelSpec:
    """The channel with its placeholder filled in: from the environment, else from the alert it was exported from."""
    there = None if row is None else _channel(row.spec, channel.kind)
    if channel.target == HIDDEN and there is not None:
        return replace(channel, target=there.target)
    if channel.kind is ChannelKind.EMAIL and channel.target != HIDDEN:
        return _tidy(channel)
    if channel.kind is not ChannelKind.SLACK:
        return channel
    label = " ".join((channel.label or "").split()) or None
    name = PLACEHOLDER.fullmatch(channel.target or "")
    if name is None:
        return replace(channel, label=label)
    if name[1] in environment:
        return replace(channel, target=environment[name[1]].strip(), label=label)
    if there is not None and there.target is not None and placeholder(there.target, there.label) == channel.target:
        return replace(channel, target=there.target, label=label)
    return replace(channel, label=label)


def _tidy(channel: ChannelSpec) -> ChannelSpec:
    try:
        return replace(channel, target=parse_email(channel.target or ""))
    except TocsinError:
        return channel  # `checked` says what is wrong with it


def _channel(spec: AlertSpec, kind: ChannelKind) -> ChannelSpec | None:
    return next((channel for channel in spec.channels if channel.kind is kind), None)


def _differences(old: AlertSpec, new: AlertSpec) -> tuple[Difference, ...]:
    found = []
    for (key, before), (_, after) in zip(_shown(old), _shown(new), strict=True):
        if before != after:
            found.append(Difference(key, before, after))
    for kind in (ChannelKind.EMAIL, ChannelKind.SLACK):
        there, wanted = _channel(old, kind), _channel(new, kind)
        if there and wanted and there.target != wanted.target and not any(item.key == kind.value for item in found):
            # Two URLs that look the same when they are masked.
            found.append(Difference(kind.value, _target(old, kind), f"{_target(new, kind)} (another one)"))
    return tuple(found)


def _shown(spec: AlertSpec) -> list[tuple[str, str]]:
    slack = _channel(spec, ChannelKind.SLACK)
    return [
        (KEY_OF[spec.kind], f"{percent_text(spec.threshold)} %"), ("direction", spec.direction.value),
        ("baseline", spec.baseline.value), ("min_events", str(spec.min_events)),
        ("reminder", REMINDER_OF[spec.reminder_hours]), ("say_resolved", str(spec.say_resolved).lower()),
        ("enabled", str(spec.enabled).lower()), ("email", _target(spec, ChannelKind.EMAIL)),
        ("slack", _target(spec, ChannelKind.SLACK)), ("slack_channel", (slack.label if slack else None) or "none"),
        ("in_app", str(_channel(spec, ChannelKind.IN_APP) is not None).lower()),
    ]


def _target(spec: AlertSpec, kind: ChannelKind) -> str:
    channel = _channel(spec, kind)
    if channel is None:
        return "none"
    if channel.target is None:
        return HIDDEN
    return channel.target if PLACEHOLDER.fullmatch(channel.target) else mask(kind, channel.target)


def _new(spec: AlertSpec) -> tuple[Difference, ...]:
    usual = dict(_shown(AlertSpec(spec.kind, spec.threshold, ())))
    return tuple(Difference(key, "", value) for key, value in _shown(spec) if value != usual[key])


def _subject(slug: str, spec: AlertSpec, creator: str) -> str:
    return f"{slug} {KEY_OF[spec.kind]} {percent_text(spec.threshold)} % by {creator}"
