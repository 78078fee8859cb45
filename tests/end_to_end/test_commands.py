"""Every command as a person types it: what it prints, its exit code, and one line when it is refused."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from core import terms
from core.clock import SystemClock, hour_of, iso, start_of
from core.commands import asked
from core.store import open_store
from tests.end_to_end.conftest import Kept
from tests.end_to_end.desk import Desk

WEBHOOK = "https://hooks.slack.com/services/T012345/B678901/topsecretwebhook"
ALERT_KEYS = {"id", "kind", "connection", "threshold_percent", "enabled", "created_by", "channels"}


@pytest.fixture
def shop(desk: Desk, kept: Kept) -> Desk:
    """A workspace with the source `website` and its destination `amplitude`."""

    def make() -> None:
        desk.done("source", "add", "Website")
        desk.done("destination", "add", "Amplitude", "--source", "website")

    kept("two connections", make)
    return desk


def dropped(folder: Path) -> Path:
    """A CSV in which the website fell from 100 to 20 events an hour a day ago."""
    hour = hour_of(SystemClock().now())
    rows = [f"website,{iso(start_of(hour - back))},received,{20 if back <= 24 else 100}" for back in range(1, 60)]
    file = folder / "counts.csv"
    file.write_text("\n".join(["connection,hour,stage,count", *rows]) + "\n")
    return file


def refused(said_err: str) -> bool:
    return re.fullmatch(r"tocsin: .+\n", said_err) is not None


def test_a_breach_from_the_first_command_to_the_bell(shop: Desk, tmp_path: Path) -> None:
    shop.done("alert", "create", "--source", "website", "--change", "20", "--in-app")
    shop.done("counts", "import", str(dropped(tmp_path)))

    verdict = shop.done("check", "--json").items[0]
    shop.done("check")
    bell = shop.done("notification", "list", "--unread", "--json").items
    incident = shop.done("incident", "list", "--open", "--json").items

    assert verdict == {
        "alert": 1, "connection": "website", "kind": "source_volume", "verdict": "breached", "current": 480,
        "baseline": 2400, "delivered": None, "failed": None, "change_percent": "-80.00", "rate_percent": None,
        "threshold_percent": "20", "window_start": verdict["window_start"], "window_end": verdict["window_end"],
        "incident": 1}
    assert len(bell) == len(incident) == 1
    assert {"id", "alert", "incident", "event", "channel", "recipient", "state", "attempts", "last_error",
            "created_at", "sent_at", "read_at"} <= set(bell[0])
    assert (bell[0]["event"], bell[0]["channel"], bell[0]["state"], bell[0]["read_at"]) == (
        "opened", "in_app", "sent", None)
    assert shop.done("notification", "read", "1").out == "1 marked read\n"
    assert shop.done("notification", "list", "--unread").out == "Nothing has rung.\n"
    assert "firing since" in shop.done("alert", "list", "--state", "firing").out
    assert "open" in shop.done("incident", "list").out


def test_a_dry_run_changes_nothing(shop: Desk, tmp_path: Path) -> None:
    shop.done("alert", "create", "--source", "website", "--change", "20", "--in-app")
    shop.done("counts", "import", str(dropped(tmp_path)))

    said = shop.done("check", "--dry-run")

    assert "breached" in said.out
    assert "nothing was changed" in said.out
    assert shop.done("incident", "list", "--json").items == []


def test_check_judges_as_of_a_time(shop: Desk, tmp_path: Path) -> None:
    shop.done("alert", "create", "--source", "website", "--change", "20", "--in-app")
    shop.done("counts", "import", str(dropped(tmp_path)))
    before = SystemClock().now() - timedelta(hours=30)

    said = shop.done("check", "--at", iso(before) or "", "--json").items[0]

    assert said["verdict"] == "learning"
    assert said["window_end"] == iso(start_of(hour_of(before)))


def test_adding_a_source_prints_its_slug_and_write_key(desk: Desk) -> None:
    added = desk.done("source", "add", "Checkout API", "--type", "Node.js", "--json").item
    shown = desk.done("source", "show", "checkout-api", "--json").item
    text = desk.done("source", "add", "Checkout API").out

    assert set(added) == {"slug", "write_key"}
    assert added["slug"] == "checkout-api"
    assert shown["write_key"] == added["write_key"]
    assert shown["type"] == "Node.js"
    assert text.startswith("checkout-api-2  write key: ")


def test_sources_and_destinations_are_listed_switched_and_removed(shop: Desk) -> None:
    assert "Website" in shop.done("source", "list").out
    assert "website" in shop.done("destination", "list").out
    assert "Amplitude" in shop.done("destination", "show", "amplitude").out
    shop.done("source", "disable", "website")
    assert shop.done("source", "list", "--json").items[0]["enabled"] is False
    shop.done("source", "enable", "website")
    shop.done("source", "set", "website", "--category", "cloud_app")
    shop.done("destination", "set", "amplitude", "--mode", "device")
    assert shop.done("source", "list", "--category", "event_streams", "--json").items == []
    assert len(shop.done("destination", "list", "--mode", "device", "--json").items) == 1
    assert shop("source", "remove", "website").err == "tocsin: website still feeds amplitude; remove those first.\n"
    shop.done("destination", "disable", "amplitude")
    shop.done("destination", "enable", "amplitude")
    shop.done("destination", "remove", "amplitude")
    shop.done("source", "remove", "website")
    assert "There are no sources" in shop.done("source", "list").out
    assert "There are no destinations" in shop.done("destination", "list").out


def test_creating_an_alert_prints_it_with_its_secrets_masked(shop: Desk) -> None:
    made = shop.done("alert", "create", "--source", "website", "--change", "20.5 %", "--email", "team@example.com",
                     "--slack", WEBHOOK, "--slack-channel", "#data", "--in-app", "--reminder", "72h", "--direction",
                     "drop", "--baseline", "week_before", "--min-events", "50", "--no-resolved", "--disabled", "--json")

    alert = made.item
    assert set(alert) >= ALERT_KEYS
    assert "topsecret" not in made.out
    assert alert["threshold_percent"] == "20.5"
    assert alert["enabled"] is False
    assert (alert["reminder"], alert["direction"], alert["baseline"], alert["min_events"], alert["say_resolved"]) == (
        "72h", "drop", "week_before", 50, False)
    channels = alert["channels"]
    assert isinstance(channels, list)
    assert [(channel["kind"], channel["recipient"]) for channel in channels] == [
        ("email", "team@example.com"), ("slack", "hooks.slack.com/services/T…/B…/••••"), ("in_app", None)]


def test_edit_changes_what_is_given_and_keeps_the_rest(shop: Desk) -> None:
    shop.done("alert", "create", "--source", "website", "--change", "20", "--email", "team@example.com", "--slack",
              WEBHOOK, "--slack-channel", "#data", "--min-events", "7")

    shop.done("alert", "edit", "1", "--change", "30", "--in-app", "--no-email", "--slack-channel", "#other",
              "--reminder", "off", "--no-resolved")
    shown = shop.done("alert", "show", "1", "--json").item

    channels = shown["channels"]
    assert isinstance(channels, list)
    assert [(channel["kind"], channel["label"]) for channel in channels] == [("slack", "#other"), ("in_app", None)]
    assert (shown["threshold_percent"], shown["min_events"], shown["reminder"], shown["say_resolved"]) == (
        "30", 7, "off", False)
    shop.done("alert", "edit", "1", "--no-slack", "--no-in-app", "--email", "new@example.com", "--resolved")
    assert "email new@example.com" in shop.done("alert", "show", "1").out
    assert shop("alert", "edit", "1", "--no-email").err == (
        "tocsin: Choose at least one channel: email, Slack or in-app.\n")


def test_an_alert_is_switched_muted_tested_and_deleted(shop: Desk) -> None:
    shop.done("alert", "create", "--destination", "amplitude", "--below", "99", "--in-app")

    shop.done("alert", "disable", "1")
    assert shop.done("alert", "list", "--state", "disabled", "--json").items[0]["id"] == 1
    shop.done("alert", "enable", "1")
    shop.done("alert", "mute", "1", "--for", "8h")
    assert "muted until" in shop.done("alert", "list", "--connection", "amplitude").out
    shop.done("alert", "unmute", "1")
    assert "in your bell" in shop.done("alert", "test", "1").out
    assert shop.done("notification", "list", "--json").items[0]["event"] == "test"
    shop.done("alert", "delete", "1")
    assert shop.done("alert", "list").out == "There are no such alerts.\n"


def test_a_test_message_that_is_not_taken_fails(shop: Desk) -> None:
    shop.done("alert", "create", "--source", "website", "--change", "20", "--email", "team@example.com")

    said = shop("alert", "test", "1", "--json")

    assert said.items[0]["ok"] is False
    assert said.code == 1
    assert said.err == "tocsin: The test message was not taken by email.\n"


def test_mail_without_a_mail_server_waits_and_deliver_says_why(shop: Desk, tmp_path: Path) -> None:
    shop.done("alert", "create", "--source", "website", "--change", "20", "--email", "team@example.com")
    shop.done("counts", "import", str(dropped(tmp_path)))
    shop.done("check")

    tried = shop.done("deliver", "--json").items

    assert [(item["channel"], item["state"]) for item in tried] == [("email", "queued")]
    assert "no TOCSIN_SMTP_URL is set" in str(tried[0]["answer"])
    assert shop.done("deliver").out == "Nothing is due.\n"
    assert refused(shop("notification", "retry", "1").err)
    assert shop.done("notification", "list", "--failed", "--json").items == []


def test_counts_go_out_and_in_again(shop: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.done("counts", "import", str(dropped(tmp_path)))
    out = shop.done("counts", "export").out
    back = tmp_path / "back.csv"
    back.write_text(out)

    done = shop.done("counts", "import", str(back), "--json").item
    with back.open() as piped:
        monkeypatch.setattr("sys.stdin", piped)
        shop.done("counts", "import", "-")

    assert done["counts"] == 59
    assert shop.done("counts", "export").out == out
    assert len(shop.done("counts", "export", "--connection", "amplitude").out.splitlines()) == 1
    assert len(shop.done("counts", "export", "--since", iso(SystemClock().now()) or "").out.splitlines()) == 1


def test_a_bad_row_refuses_the_file_and_changes_nothing(shop: Desk, tmp_path: Path) -> None:
    file = dropped(tmp_path)
    with file.open("a") as end:
        end.write("website,2026-11-23T08:30:00Z,received,1\n")

    said = shop("counts", "import", str(file))

    assert said.code == 1
    assert said.err.startswith(f"tocsin: {file}:61: the hour must be a whole UTC hour")
    assert shop.done("counts", "export").out == "connection,hour,stage,count\n"
    gone = shop("counts", "import", str(tmp_path / "none.csv"))
    assert gone.err.endswith("none.csv cannot be read: No such file or directory.\n")


def test_members_are_added_listed_and_removed(desk: Desk) -> None:
    added = desk.done("member", "add", "grace@example.com", "--name", "Grace Hopper", "--json").item
    desk.done("member", "role", "grace@example.com", "workspace_owner")
    listed = desk.done("member", "list", "--json").items

    assert set(added) == {"email", "name", "role", "alerts", "created_at"}
    assert [row["role"] for row in listed] == ["workspace_owner", "workspace_owner"]
    assert "you" in desk.done("member", "list", member="grace@example.com").out
    desk.done("member", "remove", "grace@example.com")
    assert desk("member", "list", member="grace@example.com").code == 1


@pytest.mark.parametrize("words", [
    ("alert", "create", "--source", "website", "--in-app"),
    ("alert", "create", "--source", "website", "--below", "99", "--in-app"),
    ("alert", "create", "--source", "website", "--change", "20", "--destination", "amplitude", "--below", "99"),
    ("alert", "create", "--destination", "amplitude", "--change", "20", "--in-app"),
    ("alert", "create", "--source", "website", "--change", "20", "--in-app", "--slack-channel", "#x"),
    ("alert", "create", "--source", "website", "--change", "20", "--in-app", "--reminder", "5h"),
    ("alert", "create", "--source", "website", "--change", "20", "--in-app", "--min-events", "-1"),
    ("alert", "edit", "1"), ("alert", "edit", "1", "--email", "a@b.co", "--no-email"), ("alert", "edit", "one"),
    ("alert", "mute", "1", "--for", "forever"), ("alert", "mute", "1", "--for", "0h"),
    ("alert", "mute", "1", "--for", "999d"), ("alert", "mute", "1"), ("alert", "list", "--state", "asleep"),
    ("check", "--at", "yesterday"), ("counts", "export", "--since", "x"), ("notification", "read", "some"),
    ("source", "add"), ("source", "add", "X", "--category", "other"), ("destination", "add", "X"),
    ("member", "add", "a@b.co", "--role", "king"), ("bogus",), ("--bogus",), ("incident", "list", "--limit", "0"),
    ("--collector", "off", "check"), ("source",),
])
def test_bad_usage_ends_with_2(shop: Desk, words: tuple[str, ...]) -> None:
    said = shop(*words)

    assert said.code == 2
    assert "Traceback" not in said.err
    assert shop.done("alert", "list", "--json").items == []


@pytest.mark.parametrize("words", [
    ("alert", "create", "--source", "website", "--change", "0", "--in-app"),
    ("alert", "create", "--source", "website", "--change", "1000.01", "--in-app"),
    ("alert", "create", "--source", "website", "--change", "20.001", "--in-app"),
    ("alert", "create", "--source", "website", "--change", "many", "--in-app"),
    ("alert", "create", "--source", "website", "--change", "20"),
    ("alert", "create", "--source", "nothing", "--change", "20", "--in-app"),
    ("alert", "create", "--source", "amplitude", "--change", "20", "--in-app"),
    ("alert", "create", "--destination", "amplitude", "--below", "100.01", "--in-app"),
    ("alert", "create", "--destination", "amplitude", "--below", "99", "--in-app", "--direction", "drop"),
    ("alert", "create", "--source", "website", "--change", "20", "--email", "a@b.co\nBcc: c@d.org"),
    ("alert", "create", "--source", "website", "--change", "20", "--slack", "https://example.com/services/T/B/x"),
    ("alert", "create", "--source", "website", "--change", "20", "--slack", "http://hooks.slack.com/services/T/B/x"),
    ("alert", "show", "7"), ("alert", "delete", "7"), ("alert", "list", "--connection", "nothing"),
    ("source", "add", "\x1b[2J"), ("source", "add", "X", "--slug", "Not A Slug"), ("source", "show", "amplitude"),
    ("destination", "show", "website"), ("destination", "add", "X", "--source", "nothing"),
    ("notification", "read", "7"), ("notification", "retry", "7"), ("incident", "list", "--connection", "nothing"),
    ("member", "add", "nobody"), ("member", "remove", "nobody@example.com"), ("counts", "export", "--connection", "no"),
    ("--as", "nobody@example.com", "alert", "list"), ("--store", "oracle://x/y", "alert", "list"),
    ("--store", "/dev/null/x.db", "alert", "list"), ("source", "set", "amplitude", "--category", "cloud_app"),
])
def test_what_is_refused_ends_with_1_and_one_line(shop: Desk, words: tuple[str, ...]) -> None:
    said = shop(*words)

    assert said.code == 1
    assert said.out == ""
    assert refused(said.err), said.err
    assert said.err.rstrip("\n").isprintable()


def test_an_unexpected_error_is_one_line_and_a_traceback_in_the_log(shop: Desk, own_home: Path) -> None:
    shop.done("alert", "create", "--source", "website", "--change", "20", "--in-app")
    shop.done("alert", "test", "1")
    store = open_store(str(own_home / "tocsin.db"))
    with store.write() as session:  # no version of Tocsin writes that
        session.connection().exec_driver_sql("UPDATE notification SET body = '{'")
    store.close()

    said = shop("notification", "list")

    assert said.code == 1
    assert refused(said.err)
    assert f"the details are in {own_home / 'tocsin.log'}." in said.err
    assert "Traceback (most recent call last)" in (own_home / "tocsin.log").read_text()


def test_a_store_that_lost_a_table_is_one_line(shop: Desk, own_home: Path) -> None:
    store = open_store(str(own_home / "tocsin.db"))
    with store.write() as session:
        session.connection().exec_driver_sql("DROP TABLE alert_channel")
    store.close()

    said = shop("alert", "list")

    assert said.code == 1
    assert said.err.startswith("tocsin: The store at ")
    assert refused(said.err)


def test_names_from_outside_are_shown_as_text(desk: Desk, own_home: Path) -> None:
    desk.done("source", "add", "[bold red]X[/] 日本語")
    store = open_store(str(own_home / "tocsin.db"))
    with store.write() as session:  # as an older version or another program might have left it
        session.connection().exec_driver_sql("UPDATE connection SET type = 'a' || char(27) || '[2J' || char(10) || 'b'")
    store.close()

    said = desk.done("source", "list")

    assert "[bold red]X[/] 日本語" in said.out
    assert "\x1b" not in said.out
    assert len(said.out.splitlines()) == 2


def test_doctor_tells_what_is_missing_and_masks_secrets(
    shop: Desk, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = shop("doctor")
    shop.done("alert", "create", "--source", "website", "--change", "20", "--email", "team@example.com")
    missing = shop("doctor", "--json")
    monkeypatch.setenv("TOCSIN_SMTP_URL", "smtp://ada:topsecretmail@127.0.0.1:9")
    monkeypatch.setenv("TOCSIN_COLLECTOR", "off")
    unreachable = shop("doctor", "--json")

    assert fresh.code == 0
    assert re.search(r"^warn  smtp +not set.* → set TOCSIN_SMTP_URL", fresh.out, re.MULTILINE)
    assert missing.code == unreachable.code == 1
    states = {check["name"]: check["state"] for check in json.loads(missing.out)["checks"]}
    assert states["smtp"] == "bad"
    assert states["store"] == states["schema"] == states["clock"] == "ok"
    assert "topsecret" not in unreachable.out
    assert "no connection to 127.0.0.1:9" in unreachable.out
    assert json.loads(unreachable.out)["file"] == str(own_home / "config.toml")


def test_doctor_makes_no_store(desk: Desk, own_home: Path) -> None:
    said = desk("doctor")

    assert said.code == 0
    assert "there is none" in said.out
    assert not (own_home / "tocsin.db").exists()


def test_the_store_of_the_option_is_used(desk: Desk, tmp_path: Path, own_home: Path) -> None:
    desk.done("--store", str(tmp_path / "other.db"), "source", "add", "Website")

    assert (tmp_path / "other.db").exists()
    assert not (own_home / "tocsin.db").exists()


@pytest.mark.parametrize(("names", "values"), [
    (asked.CategoryName, terms.Category), (asked.ModeName, terms.Mode), (asked.RoleName, terms.Role),
    (asked.DirectionName, terms.Direction), (asked.BaselineName, terms.Baseline),
])
def test_what_can_be_typed_is_what_the_store_knows(names: object, values: type[terms.Role]) -> None:
    assert list(get_args(names)) == [value.value for value in values]
