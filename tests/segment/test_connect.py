"""From a token to a message: connect, sync, judge and notify, and the ways in which a connection can be broken."""

from __future__ import annotations

import asyncio
import io
import stat
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from core.alert_spec import AlertSpec, ChannelSpec
from core.alerts import create_alert
from core.clock import FastClock, SystemClock, hour_of, iso
from core.errors import InvalidInput
from core.intake.segment.client import Client
from core.intake.segment.connection import Connected, connect, current, disconnect, hourly, sync_if_connected
from core.intake.segment.errors import SegmentError, TokenRefused
from core.intake.segment.sync import Progress
from core.intake.segment.token import find_token, forget_token, save_token, save_value
from core.members import current_member
from core.service import Service
from core.settings import Settings, described, load_settings
from core.store import Store
from core.terms import AlertKind, ChannelKind, Verdict
from core.watch import run_pass
from tests.conftest import NOON
from tests.end_to_end.desk import Desk
from tests.segment.reading import connections_in, counts_in, counts_of
from tests.segment.test_sync import acme
from tests.segment.workspace import TOKEN, Segment

H = hour_of(NOON)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


@pytest.fixture
def settings(segment: Segment) -> Settings:
    return load_settings(segment_url=segment.url)


async def joined(store: Store, settings: Settings, token: str = TOKEN, **options: Any) -> Connected:
    return await connect(store, settings, FastClock(NOON, 0), token, **options)


@pytest.fixture
async def slack() -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """A webhook on this machine: its host and port, and what was posted to it."""
    posted: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        posted.append(await request.json())
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/services/{rest:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"127.0.0.1:{runner.addresses[0][1]}", posted
    await runner.cleanup()


async def test_a_drop_in_segment_ends_up_as_a_message_in_slack(
    store: Store, segment: Segment, slack: tuple[str, list[dict[str, Any]]]
) -> None:
    host, posted = slack
    settings = load_settings(segment_url=segment.url, slack_hosts=host)
    segment.hold(**acme())
    with store.write() as session:
        me = current_member(session, None, NOON)
    assert (await joined(store, settings)).report.error is None
    with store.write() as session:
        create_alert(session, me, "s1-slug", AlertSpec(AlertKind.SOURCE_VOLUME, 1000, (
            ChannelSpec(ChannelKind.SLACK, f"http://{host}/services/T1/B1/x"), ChannelSpec(ChannelKind.IN_APP))),
                     NOON, settings.slack_hosts)
    assert [row.verdict for row in run_pass(store, NOON, now=NOON).verdicts] == [Verdict.OK]

    fewer = {**segment.held["volume"]["s1"], **{str(hour): 1 for hour in range(H - 4, H + 1)}}
    segment.change(volume={"s1": fewer}, now=iso(at(1)))
    async with Service(store, settings, FastClock(at(1), 0), collector=None, scheduler=True, tick=0.05) as service:
        async with asyncio.timeout(30):
            while not posted:
                await asyncio.sleep(0.01)
    assert service.state().sync_error is None
    again = run_pass(store, at(1), now=at(1))
    assert [(row.verdict, row.connection) for row in again.verdicts] == [(Verdict.BREACHED, "s1-slug")]
    assert (again.opened, again.queued) == (0, 0)
    assert len(posted) == 1
    assert "Website" in posted[0]["text"]


async def test_hours_segment_could_not_be_asked_for_open_nothing(
    store: Store, segment: Segment, settings: Settings
) -> None:
    segment.hold(**acme())
    with store.write() as session:
        me = current_member(session, None, NOON)
    await joined(store, settings)
    with store.write() as session:
        create_alert(session, me, "s1-slug", AlertSpec(AlertKind.SOURCE_VOLUME, 100, (
            ChannelSpec(ChannelKind.IN_APP),)), NOON, settings.slack_hosts)
    segment.change(faults={"/": "401"}, now=iso(at(6)))

    with pytest.raises(SegmentError, match="invalid or not allowed"):
        await hourly(store, settings, FastClock(at(6), 0))(at(6))
    report = run_pass(store, at(6), now=at(6))

    assert [(row.verdict, report.opened) for row in report.verdicts] == [(Verdict.UNKNOWN, 0)]
    assert connections_in(store)["s1"].stale_since == H * 3_600_000_000


async def test_connecting_names_the_workspace_and_keeps_the_token_for_its_owner_only(
    sqlite_store: Store, segment: Segment, settings: Settings, own_home: Path
) -> None:
    segment.hold(**acme())
    steps: list[Progress] = []

    made = await joined(sqlite_store, settings, f" {TOKEN}\n", region="eu", progress=steps.append)

    assert (made.link.workspace_name, made.link.region, made.link.last_error) == ("Acme", "eu", None)
    assert made.link.last_sync_at == NOON
    assert made.link.requests == made.report.requests == len(segment.asked) - 1
    assert {step.step for step in steps} >= {"source volumes", "delivery results"}
    assert stat.S_IMODE((own_home / "config.toml").stat().st_mode) == 0o600
    assert find_token(load_settings()) == TOKEN
    assert TOKEN not in repr(load_settings())
    assert TOKEN not in str(described(load_settings()))
    assert sqlite_store.path is not None
    assert not any(TOKEN.encode() in path.read_bytes() for path in sqlite_store.path.parent.glob("only.db*"))


async def test_a_refused_token_changes_nothing(sqlite_store: Store, segment: Segment, settings: Settings) -> None:
    with pytest.raises(TokenRefused, match="invalid or not allowed to read the workspace"):
        await joined(sqlite_store, settings, "wrong")

    assert current(sqlite_store) is None
    assert find_token(settings) is None


async def test_a_connect_broken_off_goes_on_with_the_next_hour(
    sqlite_store: Store, segment: Segment, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment.hold(**acme(faults={"/delivery-overview": "422"}))
    first = await joined(sqlite_store, settings)
    segment.change(faults={})

    report = await sync_if_connected(sqlite_store, settings, FastClock(NOON, 0))

    assert first.report.error is not None
    assert report is not None
    assert report.error is None
    assert counts_in(sqlite_store) == counts_of(segment.held)


async def test_another_workspace_needs_a_disconnect_first(
    sqlite_store: Store, segment: Segment, settings: Settings
) -> None:
    segment.hold(**acme())
    await joined(sqlite_store, settings)
    segment.change(workspace={"id": "ws2", "slug": "b", "name": "Bolt"})

    with pytest.raises(InvalidInput, match="connected to Acme"):
        await joined(sqlite_store, settings)

    disconnect(sqlite_store, settings, NOON)
    assert (await joined(sqlite_store, settings)).link.workspace_name == "Bolt"


async def test_after_a_disconnect_everything_stays_but_says_it_is_stale(
    sqlite_store: Store, segment: Segment, settings: Settings
) -> None:
    segment.hold(**acme())
    await joined(sqlite_store, settings)

    disconnect(sqlite_store, settings, NOON)

    assert counts_in(sqlite_store) == counts_of(segment.held)
    assert connections_in(sqlite_store)["s1"].stale_since is not None
    assert find_token(settings) is None
    assert await sync_if_connected(sqlite_store, settings, FastClock(NOON, 0)) is None
    await hourly(sqlite_store, settings, FastClock(NOON, 0))(NOON)
    with pytest.raises(InvalidInput, match="No Segment workspace"):
        disconnect(sqlite_store, settings, NOON)


async def test_a_lost_token_is_reported_with_what_to_do(
    sqlite_store: Store, segment: Segment, settings: Settings
) -> None:
    segment.hold(**acme())
    await joined(sqlite_store, settings)
    forget_token(settings)

    report = await sync_if_connected(sqlite_store, settings, FastClock(at(1), 0))

    assert report is not None
    assert report.error is not None
    assert "tocsin segment connect" in report.error
    assert len(report.stale) == 3
    found = current(sqlite_store)
    assert found is not None
    assert (found.last_error, found.last_sync_at) == (report.error, NOON)


def test_saving_leaves_the_other_settings_alone(settings: Settings, own_home: Path) -> None:
    own_home.mkdir()
    path = own_home / "config.toml"
    path.write_text('# mine\nsegment_token = "old"\nsmtp_from = "a@b.c"\n\n')
    path.chmod(0o644)

    save_token(settings, "new")
    save_value(settings, "member", 'quoted"\\@acme.dev')

    assert path.read_text().startswith('# mine\nsmtp_from = "a@b.c"\n')
    assert load_settings().member == 'quoted"\\@acme.dev'
    assert find_token(settings) == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    forget_token(settings)
    assert find_token(load_settings()) is None


def test_the_environments_token_wins(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    save_token(settings, "saved")
    monkeypatch.setenv("TOCSIN_SEGMENT_TOKEN", "given")

    assert find_token(settings) == "given"


def test_a_settings_file_that_is_no_toml_is_left_alone(settings: Settings, own_home: Path) -> None:
    own_home.mkdir()
    (own_home / "config.toml").write_text("what = is this")

    with pytest.raises(InvalidInput, match="correct it first"):
        save_token(settings, "new")

    assert (own_home / "config.toml").read_text() == "what = is this"


def test_a_client_does_not_show_its_token() -> None:
    assert TOKEN not in repr(Client(TOKEN, "https://api.segmentapis.com"))


def test_the_commands_connect_sync_and_disconnect(
    segment: Segment, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment.hold(**acme(now=iso(SystemClock().now() + timedelta(minutes=30))))
    monkeypatch.setenv("TOCSIN_SEGMENT_URL", segment.url)

    monkeypatch.setattr("sys.stdin", io.StringIO("wrong\n"))
    refused = desk("segment", "connect")
    assert (refused.code, refused.out) == (1, "")
    assert "invalid or not allowed" in refused.err

    monkeypatch.setattr("sys.stdin", io.StringIO(f"{TOKEN}\n"))
    made = desk("segment", "connect", "--member", "PAPA@acme.dev")
    assert (made.code, made.err) == (0, "")
    assert "Acme" in made.out
    assert "you are papa@acme.dev" in made.out
    assert TOKEN not in made.out
    assert desk("segment", "sync", "--json").item["error"] is None
    assert desk("segment", "disconnect").out.startswith("Acme is disconnected")
    assert desk("segment", "sync").err == (
        "tocsin: No Segment workspace is connected; `tocsin segment connect` connects one.\n")
