"""Alerts leave as a file and come back the same; a wrong file names its line and changes nothing."""

from __future__ import annotations

import shutil
import string
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access import Actor
from core.alert_spec import AlertSpec, ChannelSpec
from core.alertfile import export, placeholder, read
from core.alertplan import Plan, apply, plan
from core.alerts import create_alert, get_alert
from core.errors import InvalidInput, NotAllowed
from core.model import Member
from core.store import Store, open_store
from core.terms import AlertKind, Baseline, ChannelKind, Direction, Role
from tests.core.acme import AT, EMAIL, HOSTS, IN_APP, SLACK, Acme, found

URL = "https://hooks.slack.com/services/T000/B000/secretsecret"
NAME = placeholder(URL, "#data")


@pytest.fixture
def acme(store: Store) -> Acme:
    return found(store)


@pytest.fixture
def embedded(sqlite_store: Store) -> Acme:
    return found(sqlite_store)


@contextmanager
def two_workspaces(blank_file: Path) -> Iterator[tuple[Acme, Acme]]:
    """Two that know nothing of each other, as long as the block runs."""
    with TemporaryDirectory(prefix="tocsin-test") as folder, ExitStack() as opened:
        stores = [open_store(str(shutil.copy(blank_file, f"{folder}/{name}.db"))) for name in ("one", "two")]
        for store in stores:
            opened.callback(store.close)
        yield found(stores[0]), found(stores[1])


def exported(acme: Acme, actor: Actor | None = None, *, with_secrets: bool = False) -> str:
    with acme.store.read() as session:
        return export(session, actor or acme.ada, AT, with_secrets=with_secrets)


def applied(
    acme: Acme, text: str, actor: Actor | None = None, *, prune: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Plan:
    with acme.store.write() as session:
        return apply(session, actor or acme.ada, read(text, "alerts.yaml"), AT, environment=environment or {},
                     slack_hosts=HOSTS, prune=prune)


def told(made: Plan) -> list[tuple[str, str, str]]:
    return [(change.does, change.what, change.subject) for change in made.changes]


def body(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))


def test_an_alert_leaves_readable_and_without_its_secret(acme: Acme) -> None:
    acme.alert("website", 2050, EMAIL, SLACK, IN_APP, min_events=100, reminder_hours=0, direction=Direction.DROP)
    acme.alert("amplitude", 9900, actor=acme.grace)

    text = exported(acme)

    assert body(text) == f"""\
version: 1
members:
  ada@example.com: Ada Lovelace
  grace@example.com: Grace Hopper
connections:
  amplitude:
    kind: destination
    name: Amplitude
    type: Amplitude
    mode: cloud
    source: website
  website:
    kind: source
    name: Website
    type: Javascript
    category: event_streams
alerts:
- connection: amplitude
  below: 99 %
  creator: grace@example.com
  channels:
    in_app: true
- connection: website
  change: 20.5 %
  creator: ada@example.com
  channels:
    email: team@example.com
    slack: {NAME}
    slack_channel: '#data'
    in_app: true
  direction: drop
  min_events: 100
  reminder: 'off'"""
    assert "secretsecret" not in text
    assert URL in exported(acme, with_secrets=True)


def test_a_file_applied_where_it_came_from_has_nothing_to_do(acme: Acme) -> None:
    acme.alert("website", 2000, EMAIL, SLACK)
    acme.alert("website", 6000, actor=acme.grace)

    made = applied(acme, exported(acme), prune=True)

    assert (made.changes, made.kept) == ((), 2)


def test_a_file_makes_an_empty_store_the_same(acme: Acme, tmp_path: Path) -> None:
    acme.alert("website", 2000, EMAIL, SLACK)
    acme.alert("website", 6000, actor=acme.grace, baseline=Baseline.WEEK_BEFORE)
    acme.alert("amplitude", 9900, actor=acme.grace)
    text = exported(acme)
    empty = open_store(str(tmp_path / "empty.db"))
    with empty.write() as session:
        session.objects.add(Member(email="root@box", name="root", role=Role.OWNER, created_at=AT))
    there = Acme(empty, Actor(1, "root@box", "root", Role.OWNER), acme.grace, 0, 0)

    made = applied(there, text, environment={NAME[2:-1]: URL})

    assert told(made) == [
        ("create", "member", "ada@example.com"), ("create", "member", "grace@example.com"),
        ("create", "connection", "source website"), ("create", "connection", "destination amplitude"),
        ("create", "alert", "amplitude below 99 % by grace@example.com"),
        ("create", "alert", "website change 20 % by ada@example.com"),
        ("create", "alert", "website change 60 % by grace@example.com")]
    assert exported(there) == text
    assert applied(there, text, prune=True).changes == ()
    empty.close()


def test_a_change_shows_old_and_new_and_keeps_the_alert(acme: Acme) -> None:
    alert = acme.alert("website", 2000, EMAIL, SLACK)
    other = URL.replace("secretsecret", "anothersecret")
    text = exported(acme).replace("20 %", "18 %").replace("team@", "data@").replace(NAME, other)

    made = applied(acme, text)

    assert [(item.key, item.old, item.new) for item in made.changes[0].differences] == [
        ("change", "20 %", "18 %"), ("email", "team@example.com", "data@example.com"),
        ("slack", "hooks.slack.com/services/T…/B…/••••", "hooks.slack.com/services/T…/B…/•••• (another one)")]
    assert made.changes[0].alert == alert
    assert "secret" not in str(made.changes[0].as_json())
    with acme.store.read() as session:
        spec = get_alert(session, acme.ada, alert, AT).spec
    assert spec.threshold == 1800
    assert spec.channels[1].target == other


def test_what_is_not_in_the_file_is_deleted_only_when_asked(acme: Acme) -> None:
    acme.alert("website", 2000)
    gone = acme.alert("website", 6000)
    lines = exported(acme).splitlines()
    text = "\n".join(lines[:next(n for n, line in enumerate(lines) if "60 %" in line) - 1])

    kept, pruned = applied(acme, text), applied(acme, text, prune=True)

    assert kept.changes == ()
    assert [(change.does, change.alert) for change in pruned.changes] == [("delete", gone)]
    assert exported(acme).count("connection: website") == 1


def test_a_dry_run_changes_nothing(acme: Acme) -> None:
    acme.alert("website", 2000)
    before = exported(acme)

    with acme.store.read() as session:
        made = plan(session, acme.ada, read(before.replace("20 %", "30 %"), "f"), AT, environment={}, slack_hosts=HOSTS)

    assert made.count("change") == 1
    assert exported(acme) == before


def test_only_the_creator_changes_an_alert(acme: Acme) -> None:
    acme.alert("website", 2000, actor=acme.grace)

    with pytest.raises(NotAllowed, match=r"alerts\.yaml, line \d+: only Grace Hopper can edit this alert"):
        applied(acme, exported(acme).replace("20 %", "30 %"))


def test_only_an_owner_or_the_creator_prunes(acme: Acme) -> None:
    acme.alert("website", 2000)
    mine = acme.alert("website", 3000, actor=acme.grace)
    text = "version: 1\nalerts: []\n"

    with pytest.raises(NotAllowed, match="only Ada Lovelace or a workspace owner can delete"):
        applied(acme, text, acme.grace, prune=True)

    assert {change.alert for change in applied(acme, text, prune=True).changes} >= {mine}


def test_only_an_owner_creates_for_somebody_else(acme: Acme) -> None:
    acme.alert("website", 2000)
    text = exported(acme)
    applied(acme, "version: 1\nalerts: []\n", prune=True)

    with pytest.raises(NotAllowed, match=r"line \d+, creator: only a workspace owner can create an alert for ada"):
        applied(acme, text, acme.grace)


def test_a_member_exports_what_they_may_not_see_as_hidden_and_it_stays(acme: Acme) -> None:
    acme.alert("website", 2000, EMAIL, SLACK)
    mine = acme.alert("website", 3000, actor=acme.grace)

    text = exported(acme, acme.grace, with_secrets=True)

    assert "team@example.com" not in text
    assert URL not in text
    assert text.count("(hidden)") == 2
    changes = applied(acme, text.replace("30 %", "31 %"), acme.grace).changes
    assert [change.alert for change in changes] == [mine]
    assert applied(acme, text.replace("30 %", "31 %"), prune=True).changes == ()


def test_one_wrong_alert_and_nothing_is_applied(acme: Acme) -> None:
    acme.alert("website", 2000)
    text = exported(acme).replace("20 %", "30 %") + (
        "- connection: nowhere\n  change: 5 %\n  creator: ada@example.com\n  channels: {in_app: true}\n")
    before = exported(acme)

    with pytest.raises(InvalidInput, match=r"connection: there is no connection called nowhere"):
        applied(acme, text)

    assert exported(acme) == before


def test_an_unset_placeholder_is_named(embedded: Acme) -> None:
    text = ("version: 1\nalerts:\n- connection: website\n  change: 5 %\n  creator: ada@example.com\n  channels:\n"
            "    slack: ${TOCSIN_SLACK_DATA}\n")

    with pytest.raises(InvalidInput, match=r"^alerts\.yaml, line 7, slack: set TOCSIN_SLACK_DATA in the environment"):
        applied(embedded, text)

    assert applied(embedded, text, environment={"TOCSIN_SLACK_DATA": URL}).count("create") == 1


ALERT = "version: 1\nalerts:\n- connection: website\n  creator: ada@example.com\n"


@pytest.mark.parametrize(("text", "message"), [
    ("", "line 1, alerts: the file is empty"),
    ("alerts: [", "line 1, YAML: "),
    ("alerts: []", "line 1, version: this version"),
    ("version: 2\nalerts: []", "line 1, version: this version"),
    ("version: 1", "line 1, alerts: it is missing"),
    ("version: 1\nalerts: 5", "line 2, alerts: it must be a list"),
    ("version: 1\nalerts: []\nalerts: []", "line 3, alerts: it is here twice"),
    ("version: 1\nalerts:\n- 7", "line 3, alert: it must be keys"),
    ("version: 1\nalert: []", "line 2, alert: there is no such key"),
    (ALERT, "line 3, change: an alert has one threshold"),
    (ALERT + "  change: 20\n", "line 3, channels: it is missing"),
    (ALERT + "  change: 20\n  channels: {}\n", "line 6, channels: Choose at least one"),
    (ALERT + "  change: 20\n  channels: {in_app: false}\n", "line 6, channels: Choose at least one"),
    (ALERT + "  change: 20\n  channels: {in_app: maybe}\n", "line 6, in_app: it must be true or false"),
    (ALERT + "  change: 20\n  channels: {slack_channel: x}\n", "line 6, slack_channel: there is no slack URL"),
    (ALERT + "  change: 2000\n  channels: {in_app: true}\n", "line 5, change: The percentage must be"),
    (ALERT + "  change: .nan\n  channels: {in_app: true}\n", "line 5, change: The percentage must be"),
    (ALERT + "  below: 20\n  direction: drop\n  channels: {in_app: true}\n", "line 6, direction: it belongs to"),
    (ALERT + "  below: 20\n  channels: {in_app: true}\n", "line 5, below: website is not a cloud-mode destination"),
    (ALERT + "  change: 20\n  direction: up\n  channels: {in_app: true}\n", "line 6, direction: it is one of both"),
    (ALERT + "  change: 20\n  reminder: 1h\n  channels: {in_app: true}\n", "line 6, reminder: it is one of off, 24h"),
    (ALERT + "  change: 20\n  min_events: -1\n  channels: {in_app: true}\n", "line 6, min_events: it must be a whole"),
    (ALERT + "  change: 20\n  channels:\n    email: 'a@b.c\\nBcc: x'\n", "line 7, email: That is not one email"),
    (ALERT + "  change: 20\n  channels:\n    slack: https://evil.example/services/x\n", "line 7, slack: evil.example"),
    (ALERT + "  change: 20\n  channels:\n    email: (hidden)\n", "line 7, email: it was hidden"),
    (ALERT.replace("ada@", "bob@") + "  change: 20\n  channels: {in_app: true}\n",
     "line 4, creator: there is no member bob@example.com"),
    ("version: 1\nalerts: []\nconnections:\n  Up Per: {kind: source, name: x, type: y, category: cloud_app}\n",
     "line 4, Up Per: A slug is"),
    ("version: 1\nalerts: []\nconnections:\n  up: {kind: source, name: x, type: y, mode: cloud}\n",
     "line 4, mode: a source has none"),
    ("version: 1\nalerts: []\nmembers:\n  bob@example.com: \"\\e[31m\"\n", "line 4, bob@example.com: The bob"),
    ("version: 1\nalerts: \x1b[]\n", "line 2, YAML: "),
], ids=lambda value: value[-24:] if value.startswith("line") else "")
def test_a_wrong_file_names_line_and_key(embedded: Acme, text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        applied(embedded, text)

    assert str(refused.value).startswith(f"alerts.yaml, {message}")


def test_an_alias_bomb_and_deep_nesting_are_refused_quickly() -> None:
    bomb = "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*{'a' if not n else f'b{n - 1}'}, *a]\n" for n in range(50))

    for text in (bomb, "[" * 100_000, "version: 1\nalerts: &a\n- *a\n"):
        with pytest.raises(InvalidInput):
            read(text, "f")


percents = st.integers(1, 10_000)
words = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12)
plain = string.ascii_letters + string.digits
emails = st.builds(lambda name: f"{name}@example.com", st.text(plain, min_size=1, max_size=8))
urls = st.builds(lambda part, secret: f"https://hooks.slack.com/{part}/T1/B2/{secret}",
                 st.sampled_from(["services", "triggers", "workflows"]),
                 st.text(plain, min_size=8, max_size=24))
channels = st.tuples(
    st.none() | st.builds(ChannelSpec, st.just(ChannelKind.EMAIL), emails),
    st.none() | st.builds(ChannelSpec, st.just(ChannelKind.SLACK), urls, st.none() | words),
    st.none() | st.just(IN_APP),
).map(lambda three: tuple(channel for channel in three if channel)).filter(bool)
common = {"channels": channels, "min_events": st.integers(0, 10**15), "reminder_hours": st.sampled_from([0, 24, 72]),
          "say_resolved": st.booleans(), "enabled": st.booleans()}
volumes = st.builds(AlertSpec, kind=st.just(AlertKind.SOURCE_VOLUME), threshold=st.integers(1, 100_000),
                    direction=st.sampled_from(Direction), baseline=st.sampled_from(Baseline), **common)
rates = st.builds(AlertSpec, kind=st.just(AlertKind.DELIVERY_RATE), threshold=percents, **common)
alerts = st.lists(st.tuples(st.booleans(), volumes | rates), max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(alerts, alerts, st.booleans())
def test_any_alerts_come_back_the_same(
    blank_file: Path, before: list[tuple[bool, AlertSpec]], after: list[tuple[bool, AlertSpec]], with_secrets: bool
) -> None:
    with two_workspaces(blank_file) as (one, two):
        for acme, specs in ((one, before), (two, after)):
            with acme.store.write() as session:
                for own, spec in specs:
                    create_alert(session, acme.ada if own else acme.grace,
                                 "website" if spec.kind is AlertKind.SOURCE_VOLUME else "amplitude", spec, AT, HOSTS)
        environment = {placeholder(channel.target or "", " ".join((channel.label or "").split()) or None)[2:-1]:
                       channel.target or "" for _, spec in before for channel in spec.channels}

        assert applied(one, exported(one, with_secrets=with_secrets), prune=True).changes == ()

        # Ada may delete Grace's alerts but not edit them, so what is Grace's is pruned first.
        applied(two, "version: 1\nalerts: []\n", prune=True)
        text = exported(one, with_secrets=with_secrets)
        applied(two, text, prune=True, environment=environment)
        assert exported(two, with_secrets=with_secrets) == text
        assert applied(two, text, prune=True).changes == ()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(volumes | rates, max_size=5), st.lists(volumes | rates, max_size=5))
def test_one_creators_alerts_become_what_the_file_says(
    blank_file: Path, before: list[AlertSpec], after: list[AlertSpec]
) -> None:
    with two_workspaces(blank_file) as (one, two):
        for acme, specs in ((one, before), (two, after)):
            with acme.store.write() as session:
                for spec in specs:
                    slug = "website" if spec.kind is AlertKind.SOURCE_VOLUME else "amplitude"
                    create_alert(session, acme.ada, slug, spec, AT, HOSTS)
        text = exported(two, with_secrets=True)

        applied(one, text, prune=True)

        assert body(exported(one, with_secrets=True)) == body(text)
        assert applied(one, text, prune=True).changes == ()


def test_a_creator_who_left_keeps_their_alert(embedded: Acme) -> None:
    embedded.alert("website", 2000, actor=embedded.grace)
    with embedded.store.write() as session:
        member = session.objects.get(Member, embedded.grace.id)
        assert member is not None
        member.removed_at = AT
        session.objects.add(member)

    assert applied(embedded, exported(embedded), prune=True).changes == ()
