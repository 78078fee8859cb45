"""Alerts as a YAML file: written so that it sorts stably and holds no secret, read so that an error names its line.

An alert has no name of its own. In a file it is known by its connection, its kind and its creator; where one creator
has several of a kind on one connection, those that are alike are the same (see `core.alertplan`). A Slack URL leaves as
`${TOCSIN_SLACK_<channel>_<digest>}`: the digest tells two URLs apart and tells nothing about them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
import yaml

from core.access import Actor
from core.alert_rows import AlertRow, alert_rows
from core.alert_spec import AlertSpec, ChannelSpec
from core.errors import InvalidInput
from core.names import check_slug, clean_name
from core.rules import parse_percent, percent_text
from core.store import Record, Session
from core.terms import AlertKind, Baseline, Category, ChannelKind, ConnectionKind, Direction, Mode, Origin

VERSION = "1"
LARGEST_FILE = 4_000_000
"""Characters; ten thousand alerts take half of that."""
HIDDEN = "(hidden)"
"""Stands for an address or URL that the member who exported may not see; applying keeps what is there."""
PLACEHOLDER = re.compile(r"\$\{(TOCSIN_SLACK_[A-Z0-9_]+)\}")
HEAD = """\
# Tocsin: alerts, the connections they watch and the members who created them.
# Change it, then: tocsin apply FILE (--dry-run shows the plan only, --prune also deletes what is not in here).
"""
SECRETLESS = "# Slack URLs are secrets: to apply to another store, set each ${TOCSIN_SLACK_…} in the environment.\n"
THRESHOLD = {"change": AlertKind.SOURCE_VOLUME, "below": AlertKind.DELIVERY_RATE}
KEY_OF = {kind: key for key, kind in THRESHOLD.items()}
REMINDERS = {"off": 0, "24h": 24, "72h": 72}
REMINDER_OF = {hours: text for text, hours in REMINDERS.items()}
ALERT_KEYS = ("connection", *THRESHOLD, "creator", "channels", "direction", "baseline", "min_events", "reminder",
              "say_resolved", "enabled")
CONNECTIONS = sa.text("""
SELECT c.slug, c.kind, c.name, c.type, c.category, c.mode, s.slug AS source
FROM connection c LEFT JOIN connection s ON s.id = c.source_id
WHERE c.removed_at IS NULL AND c.origin = :origin AND (
  c.id IN (SELECT connection_id FROM alert WHERE deleted_at IS NULL) OR
  c.id IN (SELECT d.source_id FROM connection d JOIN alert a ON a.connection_id = d.id
           WHERE a.deleted_at IS NULL AND d.removed_at IS NULL))
ORDER BY c.slug
""")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file: its name and line, counted from 1."""

    file: str
    line: int

    def wrong(self, key: str, sentence: str) -> InvalidInput:
        """The error that names file, line and key."""
        return InvalidInput(f"{self.file}, line {self.line}, {key}: {sentence}", key)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One alert of a file. `places` says where each key stands; a Slack target may be a placeholder or HIDDEN."""

    slug: str
    creator: str
    spec: AlertSpec
    place: Place
    places: Mapping[str, Place] = field(default_factory=dict)

    def at(self, key: str) -> Place:
        """Where `key` stands, or the alert itself where it is left out."""
        return self.places.get(key, self.place)


@dataclass(frozen=True, slots=True)
class Named:
    """A connection of a file, made where the store has none of that slug."""

    slug: str
    kind: ConnectionKind
    name: str
    type: str
    category: Category | None
    mode: Mode | None
    source: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class AlertFile:
    """What a file says. `members` are names by address."""

    members: Mapping[str, tuple[str, Place]]
    connections: tuple[Named, ...]
    alerts: tuple[Wanted, ...]


def export(session: Session, actor: Actor, now: datetime, *, with_secrets: bool = False) -> str:
    """Every alert, with its connection, creator and channels, as YAML; the same alerts are always the same text.

    What `actor` may not see is HIDDEN. `with_secrets` writes the Slack URLs that `actor` may see as they are.
    """
    rows = alert_rows(session, actor, now)
    connections = {row.slug: _connection(row) for row in session.connection().execute(
        CONNECTIONS, {"origin": Origin.LOCAL.value})}
    document = {
        "version": int(VERSION),
        "members": {row.created_by: row.created_by_name for row in sorted(rows, key=lambda row: row.created_by)},
        "connections": connections,
        "alerts": [entry(row, with_secrets) for row in sorted(rows, key=_order)],
    }
    body = yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=4096)
    return HEAD + ("" if with_secrets else SECRETLESS) + body


def entry(row: AlertRow, with_secrets: bool = False) -> dict[str, object]:
    """One alert as the file has it; options are left out where they say nothing."""
    spec = row.spec
    found: dict[str, object] = {
        "connection": row.connection, KEY_OF[spec.kind]: f"{percent_text(spec.threshold)} %",
        "creator": row.created_by, "channels": _channels(spec, with_secrets)}
    options: tuple[tuple[str, object, object], ...] = (
        ("direction", spec.direction.value, Direction.BOTH.value),
        ("baseline", spec.baseline.value, Baseline.DAY_BEFORE.value), ("min_events", spec.min_events, 0),
        ("reminder", REMINDER_OF[spec.reminder_hours], "24h"), ("say_resolved", spec.say_resolved, True),
        ("enabled", spec.enabled, True))
    return found | {key: value for key, value, usual in options if value != usual}


def placeholder(url: str, label: str | None) -> str:
    """The name that stands for a Slack URL: the same for the same URL and channel, in every export."""
    digest = hashlib.sha256(url.encode()).hexdigest()[:8].upper()
    words = re.findall(r"[A-Z0-9]+", (label or "").upper())
    return "${" + "_".join(["TOCSIN_SLACK", *words, digest]) + "}"


def _channels(spec: AlertSpec, with_secrets: bool) -> dict[str, object]:
    by_kind = {channel.kind: channel for channel in spec.channels}
    found: dict[str, object] = {}
    if email := by_kind.get(ChannelKind.EMAIL):
        found["email"] = email.target or HIDDEN
    if slack := by_kind.get(ChannelKind.SLACK):
        url = slack.target
        found["slack"] = HIDDEN if url is None else url if with_secrets else placeholder(url, slack.label)
        if slack.label:
            found["slack_channel"] = slack.label
    if ChannelKind.IN_APP in by_kind:
        found["in_app"] = True
    return found


def _connection(row: Record) -> dict[str, object]:
    found = {"kind": row.kind, "name": row.name, "type": row.type, "category": row.category, "mode": row.mode,
             "source": row.source}
    return {key: value for key, value in found.items() if value is not None}


def _order(row: AlertRow) -> tuple[object, ...]:
    # By what it says and not by its number, so that the same alerts in another store make the same file.
    return row.connection, row.kind.value, row.created_by, row.spec.threshold, str(entry(row))


class _Plain(yaml.SafeDumper):
    """No anchors: an alert is written out each time."""

    def ignore_aliases(self, data: object) -> bool:
        """Nothing refers to anything."""
        return True


def read(text: str, name: str) -> AlertFile:
    """What the file called `name` says. Raises InvalidInput with file, line and key for the first thing wrong."""
    if len(text) > LARGEST_FILE:
        raise InvalidInput(f"{name}: that is more than {LARGEST_FILE:,} characters.")
    try:
        # Not the faster C loader: deep nesting makes it overflow the stack and takes the process with it.
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Place(name, mark.line + 1 if mark else 1).wrong("YAML", f"{error.problem}.") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Place(name, line).wrong("YAML", f"{error.reason}.") from None
    except yaml.YAMLError as error:
        raise InvalidInput(f"{name}: {str(error).splitlines()[0]}.") from None
    except RecursionError:
        raise InvalidInput(f"{name}: that is nested too deeply.") from None
    if root is None:
        raise Place(name, 1).wrong("alerts", "the file is empty.")
    top = _mapping(root, name, "file", ("version", "members", "connections", "alerts"))
    version = top.get("version")
    if version is None or _text(version, name, "version") != VERSION:
        raise _place(version or root, name).wrong("version", f"this version of Tocsin reads version {VERSION}.")
    if "alerts" not in top:
        raise _place(root, name).wrong("alerts", "it is missing; an empty list is [].")
    return AlertFile(
        dict(_members(top.get("members"), name)), tuple(_named(top.get("connections"), name)),
        tuple(_wanted(item, name) for item in _items(top["alerts"], name)))


def _members(node: yaml.Node | None, name: str) -> Iterator[tuple[str, tuple[str, Place]]]:
    for address, value in _entries(node, name, "members"):
        place = _place(value, name)
        yield address.strip().lower(), (_cleaned(value, value, name, address), place)


def _named(node: yaml.Node | None, name: str) -> Iterator[Named]:
    for slug, value in _entries(node, name, "connections"):
        place = _place(value, name)
        keys = _mapping(value, name, slug, ("kind", "name", "type", "category", "mode", "source"))
        try:
            check_slug(slug)
        except InvalidInput as error:
            raise place.wrong(slug, str(error)) from None
        kind = ConnectionKind(_choice(keys.get("kind"), value, name, "kind", [kind.value for kind in ConnectionKind]))
        source = kind is ConnectionKind.SOURCE
        belongs, other = ("category", ("mode", "source")) if source else ("mode", ("category",))
        for key in other:
            if key in keys:
                raise _place(keys[key], name).wrong(key, f"a {kind.value} has none.")
        allowed = [category.value for category in Category] if source else [mode.value for mode in Mode]
        chosen = _choice(keys.get(belongs), value, name, belongs, allowed)
        yield Named(
            slug, kind, _cleaned(keys.get("name"), value, name, "name"),
            _cleaned(keys.get("type"), value, name, "type"),
            Category(chosen) if source else None, None if source else Mode(chosen),
            None if source else _required(keys.get("source"), value, name, "source"), place)


def _wanted(node: yaml.Node, name: str) -> Wanted:
    keys = _mapping(node, name, "alert", ALERT_KEYS)
    given = [key for key in THRESHOLD if key in keys]
    if len(given) != 1:
        raise _place(node, name).wrong("change", "an alert has one threshold: change (a source) or below.")
    kind = THRESHOLD[given[0]]
    places = {key: _place(value, name) for key, value in keys.items()}
    places["threshold"] = places[given[0]]
    try:
        threshold = parse_percent(_text(keys[given[0]], name, given[0]), kind)
    except InvalidInput as error:
        if error.field != "threshold":
            raise
        raise places["threshold"].wrong(given[0], str(error)) from None
    if kind is AlertKind.DELIVERY_RATE:
        for key in ("direction", "baseline"):
            if key in keys:
                raise places[key].wrong(key, "it belongs to a change, not to a delivery rate.")
    channels = keys.get("channels")
    if channels is None:
        raise _place(node, name).wrong("channels", "it is missing.")
    spec = AlertSpec(
        kind, threshold, _channel_specs(channels, name, places),
        Direction(_choice(keys.get("direction"), node, name, "direction", list(Direction), Direction.BOTH)),
        Baseline(_choice(keys.get("baseline"), node, name, "baseline", list(Baseline), Baseline.DAY_BEFORE)),
        _natural(keys.get("min_events"), name, "min_events"),
        REMINDERS[_choice(keys.get("reminder"), node, name, "reminder", list(REMINDERS), "24h")],
        _yes(keys.get("say_resolved"), name, "say_resolved"), _yes(keys.get("enabled"), name, "enabled"))
    slug = _required(keys.get("connection"), node, name, "connection")
    creator = _required(keys.get("creator"), node, name, "creator").strip().lower()
    return Wanted(slug, creator, spec, _place(node, name), places)


def _channel_specs(node: yaml.Node, name: str, places: dict[str, Place]) -> tuple[ChannelSpec, ...]:
    keys = _mapping(node, name, "channels", ("email", "slack", "slack_channel", "in_app"))
    places.update({key: _place(value, name) for key, value in keys.items()})
    found = []
    if "email" in keys:
        found.append(ChannelSpec(ChannelKind.EMAIL, _text(keys["email"], name, "email")))
    label = _text(keys["slack_channel"], name, "slack_channel") if "slack_channel" in keys else None
    if "slack" in keys:
        found.append(ChannelSpec(ChannelKind.SLACK, _text(keys["slack"], name, "slack"), label))
    elif label is not None:
        raise places["slack_channel"].wrong("slack_channel", "there is no slack URL to go with it.")
    if "in_app" in keys and _yes(keys["in_app"], name, "in_app"):
        found.append(ChannelSpec(ChannelKind.IN_APP))
    if not found:
        raise _place(node, name).wrong("channels", "Choose at least one channel: email, slack or in_app.")
    return tuple(found)


def _place(node: yaml.Node, name: str) -> Place:
    return Place(name, node.start_mark.line + 1)


def _mapping(node: yaml.Node, name: str, what: str, allowed: tuple[str, ...]) -> dict[str, yaml.Node]:
    found: dict[str, yaml.Node] = {}
    for key, value, place in _pairs(node, name, what):
        if key not in allowed:
            raise place.wrong(key, f"there is no such key here; there are {', '.join(allowed)}.")
        if key in found:
            raise place.wrong(key, "it is here twice.")
        found[key] = value
    return found


def _entries(node: yaml.Node | None, name: str, what: str) -> Iterator[tuple[str, yaml.Node]]:
    seen = set()
    for key, value, place in _pairs(node, name, what) if node is not None else ():
        if key in seen:
            raise place.wrong(key, "it is here twice.")
        seen.add(key)
        yield key, value


def _pairs(node: yaml.Node, name: str, what: str) -> Iterator[tuple[str, yaml.Node, Place]]:
    if not isinstance(node, yaml.MappingNode):
        raise _place(node, name).wrong(what, "it must be keys with values.")
    for key, value in node.value:
        yield _text(key, name, what), value, _place(key, name)


def _items(node: yaml.Node, name: str) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise _place(node, name).wrong("alerts", "it must be a list.")
    return list(node.value)


def _text(node: yaml.Node, name: str, key: str) -> str:
    # The text as it was typed, so that `off` is not false and 20 is not a float.
    if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
        raise _place(node, name).wrong(key, "it must be one value.")
    return str(node.value)


def _required(node: yaml.Node | None, around: yaml.Node, name: str, key: str) -> str:
    if node is None:
        raise _place(around, name).wrong(key, "it is missing.")
    return _text(node, name, key)


def _cleaned(node: yaml.Node | None, around: yaml.Node, name: str, key: str) -> str:
    text = _required(node, around, name, key)
    try:
        return clean_name(text, key)
    except InvalidInput as error:
        raise _place(node or around, name).wrong(key, str(error)) from None


def _choice(
    node: yaml.Node | None, around: yaml.Node, name: str, key: str, allowed: list[str], usual: str | None = None
) -> str:
    if node is None and usual is not None:
        return usual
    text = _required(node, around, name, key)
    if text not in allowed:
        raise _place(node or around, name).wrong(key, f"it is one of {', '.join(allowed)}.")
    return text


def _natural(node: yaml.Node | None, name: str, key: str) -> int:
    text = "0" if node is None else _text(node, name, key)
    if not re.fullmatch(r"[0-9]{1,16}", text) and node is not None:
        raise _place(node, name).wrong(key, "it must be a whole number, 0 or more.")
    return int(text)


def _yes(node: yaml.Node | None, name: str, key: str) -> bool:
    if node is None:
        return True
    text = _text(node, name, key).lower()
    if text not in ("true", "false"):
        raise _place(node, name).wrong(key, "it must be true or false.")
    return text == "true"
