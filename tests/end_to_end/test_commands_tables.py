"""What commands print for people: the tables of a delivery rate alert, and what opens the screens."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cli import Screens, main
from core.clock import SystemClock, hour_of, iso, start_of
from core.commands.desk import Given
from core.store import open_store
from tests.end_to_end.desk import Desk


@pytest.fixture
def shop(desk: Desk, tmp_path: Path) -> Desk:
    """A destination that failed one event in ten for three days, and an alert on its rate that sends mail."""
    desk.done("source", "add", "Website")
    desk.done("destination", "add", "Amplitude", "--source", "website")
    hour = hour_of(SystemClock().now())
    rows = [f"amplitude,{iso(start_of(hour - back))},{stage},{count}" for back in range(1, 73)
            for stage, count in (("delivered", 9_000), ("failed", 1_000))]
    file = tmp_path / "rates.csv"
    file.write_text("\n".join(["connection,hour,stage,count", *rows]) + "\n")
    desk.done("counts", "import", str(file))
    desk.done("alert", "create", "--destination", "amplitude", "--below", "99.5", "--email", "team@example.com")
    desk.done("check")
    return desk


def test_numbers_have_separators_and_the_rate_is_cut(shop: Desk) -> None:
    listed = shop.done("destination", "list").out.splitlines()
    shown = shop.done("destination", "show", "amplitude").out
    judged = shop.done("check").out.splitlines()
    incidents = shop.done("incident", "list", "--open").out.splitlines()

    assert listed[1].split() == ["amplitude", "Amplitude", "website", "cloud", "firing", "216,000", "24,000", "90.0",
                                 "%", "1", "1"]
    assert "1, 1 firing" in shown
    assert "216,000 delivered, 24,000 failed" in judged[1]
    assert "99.5 %" in judged[1]
    assert "216,000 delivered, 24,000 failed" in incidents[1]


def test_what_waits_is_tried_and_what_was_given_up_is_tried_again(shop: Desk, own_home: Path) -> None:
    assert "no TOCSIN_SMTP_URL" in shop.done("deliver").out
    store = open_store(str(own_home / "tocsin.db"))
    with store.write() as session:  # as after a day of tries
        session.connection().exec_driver_sql("UPDATE notification SET state = 'failed'")
    store.close()
    failed = shop.done("notification", "list", "--failed").out

    shop.done("notification", "retry", "1")

    assert "team@example.com" in failed
    assert shop.done("notification", "list", "--json").items[0]["state"] == "queued"


def test_an_alert_keeps_its_kind_and_needs_a_url_for_a_slack_channel(shop: Desk) -> None:
    assert shop("alert", "edit", "1", "--change", "20").err == "tocsin: A delivery rate alert takes --below.\n"
    assert shop("alert", "edit", "1", "--slack-channel", "#x").err == (
        "tocsin: A Slack channel's name needs a Slack URL beside it.\n")


def test_without_a_command_the_dashboard_opens_with_what_was_asked() -> None:
    opened: list[object] = []
    screens = Screens(lambda given, collector, scheduled: opened.append((given, collector, scheduled)),
                      lambda seed, speed: opened.append((seed, speed)))

    codes = [main(words, screens) for words in (
        [], ["--store", "x.db", "--as", "a@b.co", "--collector", "off", "--no-scheduler"], ["demo"],
        ["demo", "--seed", "7", "--speed", "60"])]

    assert codes == [0, 0, 0, 0]
    assert opened == [(Given(), None, True), (Given("x.db", "a@b.co"), "off", False), (1, 180.0), (7, 60.0)]


def test_a_screen_that_is_interrupted_or_breaks_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_seed: int, _speed: float) -> None:
        raise KeyboardInterrupt

    def broken(_given: Given, _collector: str | None, _scheduled: bool) -> None:
        raise RuntimeError("at https://hooks.slack.com/services/T/B/topsecret")

    screens = Screens(broken, interrupted)

    assert main(["demo"], screens) == 130
    assert main([], screens) == 1
    assert main(["--collector", "off", "check"], screens) == 2
    printed = capsys.readouterr()
    assert "topsecret" not in printed.err
    assert "RuntimeError; the details are in" in printed.err
