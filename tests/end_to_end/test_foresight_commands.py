"""Backtest, export and apply as a person types them, and the demo's alerts through a file and back."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from core.clock import SystemClock, hour_of, iso, start_of
from core.intake.simulator import populate
from core.intake.traffic import plan
from core.store import open_store
from tests.end_to_end.conftest import Kept
from tests.end_to_end.desk import Desk

WEBHOOK = "https://hooks.slack.com/services/T012345/B678901/topsecretwebhook"


@pytest.fixture
def shop(desk: Desk, kept: Kept, tmp_path: Path) -> Desk:
    """Forty days of the source `website` with one outage of a day, and its destination `amplitude` with failures."""
    hour = hour_of(SystemClock().now())

    def make() -> None:
        desk.done("source", "add", "Website")
        desk.done("destination", "add", "Amplitude", "--source", "website")
        rows = ["connection,hour,stage,count"]
        for back in range(1, 960):
            when = iso(start_of(hour - back))
            rows.append(f"website,{when},received,{0 if 240 <= back < 264 else 1000}")
            rows.append(f"amplitude,{when},delivered,{90 if back < 50 else 100}")
            rows.append(f"amplitude,{when},failed,{10 if back < 50 else 0}")
        (tmp_path / "counts.csv").write_text("\n".join(rows) + "\n")
        desk.done("counts", "import", str(tmp_path / "counts.csv"))

    kept(f"forty days before {hour}", make)
    return desk


def test_a_backtest_says_when_it_would_have_spoken(shop: Desk) -> None:
    said = shop.done("alert", "backtest", "--source", "website", "--change", "20").out

    assert said.startswith("Website at 20 %, the 30 days to ")
    assert "would have opened 2 incidents and sent 6 messages to each channel." in said
    assert re.search(r"-100\.0 % +0 +24,000 +3\n", said)
    assert re.search(r"from 0 to 24,000 +24,000 +0 +3\n", said)
    assert said.endswith("Chance alone would not ring it at about 24,000 events a day.\n")


def test_a_backtest_of_a_rate_as_json(shop: Desk) -> None:
    said = shop.done("alert", "backtest", "--destination", "amplitude", "--below", "95", "--days", "7", "--json").item

    assert (said["kind"], said["threshold_percent"], said["opened"]) == ("successful_delivery_rate", "95", 1)
    incidents = said["incidents"]
    assert isinstance(incidents, list)
    assert (incidents[0]["to"], incidents[0]["worst"], incidents[0]["worst_attempts"]) == (None, "90.0 %", 2400)


@pytest.mark.parametrize(("words", "code"), [
    (["--source", "website"], 2), (["--source", "website", "--below", "3"], 2), (["--change", "5"], 2),
    (["--destination", "amplitude", "--below", "5", "--direction", "drop"], 2),
    (["--source", "website", "--change", "5", "--days", "0"], 2), (["--source", "nowhere", "--change", "5"], 1),
    (["--source", "amplitude", "--change", "5"], 1), (["--source", "website", "--change", "x"], 1),
])
def test_a_backtest_of_nonsense_is_refused(shop: Desk, words: list[str], code: int) -> None:
    said = shop("alert", "backtest", *words)

    assert (said.code, said.out) == (code, "")
    assert "Traceback" not in said.err


def test_a_file_is_exported_edited_and_applied(shop: Desk, tmp_path: Path) -> None:
    shop.done("alert", "create", "--source", "website", "--change", "20", "--in-app", "--slack", WEBHOOK)
    file = tmp_path / "alerts.yaml"
    shop.done("export", str(file))
    text = file.read_text()

    assert file.stat().st_mode & 0o777 == 0o600
    assert "topsecret" not in text
    assert shop.done("export").out == text
    assert shop.done("apply", str(file)).out == "Nothing to do: the alerts are as the file says.\n"

    file.write_text(text.replace("20 %", "25 %"))
    plan = shop.done("apply", str(file), "--dry-run").out
    assert "~ change alert 1: website change 20 % by " in plan
    assert "    change: 20 % → 25 %\n" in plan
    assert plan.endswith("0 to create, 1 to change, 0 to delete; 0 stay as they are. Nothing was changed.\n")
    assert shop.done("export").out == text
    assert shop.done("apply", str(file)).out.endswith("Done.\n")
    assert shop.done("apply", str(file), "--json").item == {"applied": True, "changes": [], "unchanged": 1}
    assert "25 %" in shop.done("export", "-").out


def test_standard_input_is_a_file_too(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.done("alert", "create", "--source", "website", "--change", "20", "--in-app")
    email = shop.done("member", "list", "--json").items[0]["email"]
    empty = io.TextIOWrapper(io.BytesIO(b"version: 1\nalerts: []\n"))
    monkeypatch.setattr("sys.stdin", empty)

    said = shop.done("apply", "-", "--prune", "--json").item

    assert said["changes"] == [{"does": "delete", "what": "alert", "alert": 1, "differences": [],
                                "subject": f"website change 20 % by {email}"}]


@pytest.mark.parametrize(("content", "line"), [
    (b"version: 1\nalerts:\n- change: 20\n", r"tocsin: .*alerts\.yaml, line 3, channels: it is missing\.\n"),
    (b"\xff\xfe", r"tocsin: .*alerts\.yaml is not UTF-8 text\.\n"),
    (None, r"tocsin: .*alerts\.yaml cannot be read: No such file or directory\.\n"),
])
def test_a_wrong_file_is_one_line(shop: Desk, tmp_path: Path, content: bytes | None, line: str) -> None:
    if content is not None:
        (tmp_path / "alerts.yaml").write_bytes(content)

    said = shop("apply", str(tmp_path / "alerts.yaml"))

    assert (said.code, said.out) == (1, "")
    assert re.fullmatch(line, said.err)


def test_the_demos_alerts_go_to_an_empty_store_and_back(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo, other = str(tmp_path / "demo.db"), str(tmp_path / "other.db")
    now = SystemClock().now()
    store = open_store(demo)
    populate(store, plan(1, hour_of(now)), now)
    store.close()
    open_, with_secrets = tmp_path / "open.yaml", tmp_path / "secret.yaml"
    desk.done("--store", demo, "export", str(open_))
    desk.done("--store", demo, "export", str(with_secrets), "--with-secrets")
    names = re.findall(r"\$\{(TOCSIN_SLACK_\w+)\}", open_.read_text())
    urls = re.findall(r"https://hooks\S+", with_secrets.read_text())
    for name, url in zip(names, urls, strict=True):
        monkeypatch.setenv(name, url)

    desk.done("--store", other, "apply", str(open_))

    assert desk.done("--store", other, "export").out == open_.read_text()
    assert desk.done("--store", other, "apply", str(with_secrets), "--prune").out.startswith("Nothing to do")
    assert len(names) > 1
    back = tmp_path / "back.yaml"
    desk.done("--store", other, "export", str(back))
    assert desk.done("--store", demo, "apply", str(back), "--prune").out.startswith("Nothing to do")
