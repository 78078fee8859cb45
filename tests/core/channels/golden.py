"""Every message there is, for fixed facts, as text that people read side by side.

`python -m tests.core.channels.golden` writes the files in `golden/` anew; a reviewer then reads the difference.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from core.channels.email import mail_of, text_of
from core.channels.message import Facts, gap_text, given_up_text, refused_text, sentence, word
from core.channels.outcome import Envelope
from core.channels.render_html import page
from core.channels.render_slack import blocks_of, variables_of
from core.channels.targets import mask
from core.clock import hour_of
from core.terms import AlertKind, ChannelKind, Event

FOLDER = Path(__file__).parent / "golden"
AT = datetime(2026, 11, 23, 8, 5, tzinfo=UTC)
H = hour_of(AT)
HOOK = "https://hooks.slack.com/services/T0AB12CD3/B0EF45GH6/ij78kl90mn"

DAY = [62, 51, 44, 40, 43, 58, 84, 118, 142, 151, 158, 163, 160, 157, 155, 152, 149, 144, 138, 131, 147, 126, 119, 109]
LOST = [61, 50, 46, 41, 44, 57, 85, 117, 139, 148, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
BACK = [59, 48, 40, 41, 45, 52, 80, 110, 139, 144, 151, 158, 148, 151, 147, 139, 141, 137, 130, 129, 131, 122, 113, 95]
RATES = [9990, 9988, 10_000, 9993, -1, -1, 9991, 9979, 9986, 9990, 9994, 9988] * 3 + [
    9985, 9990, 9961, 9873, 9702, 9648, 9655, 9690, 9760, 9812, 9842, 9871]
VOLUME = Facts(
    event="opened", kind="source_volume", alert=7, connection="website", connection_name="Website", threshold=2000,
    current=sum(LOST), baseline=sum(DAY), window_start=H - 24, window_end=H, opened_hour=H, spark=DAY + LOST,
    set_by="Ada Lovelace", set_by_email="ada@example.com")
RATE = Facts(
    event="opened", kind="successful_delivery_rate", alert=12, connection="amplitude", connection_name="Amplitude",
    threshold=9900, delivered=9896, failed=104, window_start=H - 24, window_end=H, opened_hour=H, spark=RATES,
    set_by="Grace Hopper", set_by_email="grace@example.com")
NOTHING = {"current": 0, "baseline": 0, "spark": [0] * 48}


def told() -> dict[str, list[Facts]]:
    """What is told, by the name of its file: every event of both kinds, and what is hard to say."""
    volume = {
        "opened": {}, "opened_spike": {"current": 4613, "spark": DAY + [count * 5 // 3 for count in DAY]},
        "opened_drop_only": {"direction": "drop"}, "opened_week_before": {"baseline_kind": "week_before"},
        "opened_from_nothing": {"baseline": 0, "spark": [0] * 24 + LOST},
        "opened_to_nothing": {"current": 0, "spark": DAY + [0] * 24},
        "opened_close_to_threshold": {"current": 2240, "baseline": 2801, "spark": DAY + BACK},
        "reminder": {"event": "reminder", "opened_hour": H - 24},
        "resolved": {"event": "resolved", "opened_hour": H - 26, "current": sum(BACK), "spark": DAY + BACK},
        "resolved_silent": {"event": "resolved", "opened_hour": H - 49, **NOTHING},
        "resolved_too_few": {"event": "resolved", "opened_hour": H - 30, "baseline": 95, "current": 11,
                             "min_events": 1000, "spark": [4] * 23 + [3] + [0] * 13 + [1] * 11},
        "test": {"event": "test"}, "test_without_events": {"event": "test", **NOTHING},
    }
    rate = {
        "opened": {}, "reminder": {"event": "reminder", "opened_hour": H - 72},
        "resolved": {"event": "resolved", "opened_hour": H - 5, "delivered": 9987, "failed": 13,
                     "spark": RATES[:36] + RATES[:12]},
        "test": {"event": "test"},
        "test_without_attempts": {"event": "test", "delivered": 0, "failed": 0, "spark": [-1] * 48},
    }
    found = {f"volume_{name}": [msgspec.structs.replace(VOLUME, **change)] for name, change in volume.items()}
    found |= {f"rate_{name}": [msgspec.structs.replace(RATE, **change)] for name, change in rate.items()}
    return found | {name: [facts] for name, facts in _notices().items()} | {
        "several_opened": _several(7), "hostile_name": [msgspec.structs.replace(
            VOLUME, connection_name="<b>Web</b> & [red]site[/]\r\nBcc: eve@example.com \x1b[31m <!channel>",
            set_by='"><script>alert(1)</script>')]}


def rendered(facts: list[Facts]) -> str:
    """One message in every shape but HTML, with a heading for each."""
    message = word(facts)
    mail = mail_of(Envelope(message, "team@example.com", "tocsin.1.abc", AT), "Tocsin <bell@example.com>")
    parts = {
        "bell": "\n".join(sentence(item) for item in facts), "mail, subject": str(mail["Subject"]),
        "mail, plain": text_of(message).rstrip("\n"), "slack, webhook": _json(blocks_of(message)),
        "slack, workflow": _json(variables_of(message))}
    return "".join(f"=== {name}\n{text}\n\n" for name, text in parts.items())


def files() -> dict[str, str]:
    """The text of every golden file, by its name."""
    found = {f"{name}.txt": rendered(facts) for name, facts in told().items()}
    return found | {f"{name}.html": f"{page(word(facts))}\n" for name, facts in told().items()}


def _notices() -> dict[str, Facts]:
    """What is only ever told in the bell, worded by the functions that the program words it with."""
    hook = mask(ChannelKind.SLACK, HOOK)
    broken = msgspec.structs.replace(
        Facts(event=Event.CHANNEL_FAILED.value, kind=AlertKind.SOURCE_VOLUME.value), alert=7, connection="website",
        connection_name="Website")
    texts = {
        "channel_refused": refused_text(["Website"], ChannelKind.SLACK, hook, "HTTP 404 no_service"),
        "channel_refused_for_several": refused_text(
            ["Website", "iOS", "Android", "Kiosk"], ChannelKind.SLACK, hook, "HTTP 404 no_service"),
        "given_up": given_up_text(
            ["Website"], ChannelKind.EMAIL, "team@example.com", "SMTP 450 4.2.0 greylisted", [31]),
        "given_up_several": given_up_text(
            ["Website", "Website", "iOS"], ChannelKind.SLACK, hook, "HTTP 503 service_unavailable", [31, 32, 33]),
    }
    found = {name: msgspec.structs.replace(broken, text=text) for name, text in texts.items()}
    gaps = {"gap": gap_text(["Website"], (H - 20) * 3600, (H - 8) * 3600),
            "gap_from_the_start": gap_text(["Website", "iOS", "Android", "Kiosk"], 0, (H - 8) * 3600)}
    return found | {name: msgspec.structs.replace(
        broken, event=Event.GAP.value, window_start=H - 24, window_end=H, text=text) for name, text in gaps.items()}


def _several(count: int) -> list[Facts]:
    names = ["Website", "iOS", "Android", "Kiosk", "Backend", "Newsletter", "Checkout"][:count - 1]
    volumes = [msgspec.structs.replace(
        VOLUME, alert=20 + at, connection=name.lower(), connection_name=name, current=sum(LOST) + 97 * at,
        direction=("both", "drop")[at % 2]) for at, name in enumerate(names)]
    return [*volumes, RATE]


def _json(body: object) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for file, text in files().items():
        (FOLDER / file).write_text(text, encoding="utf-8")
