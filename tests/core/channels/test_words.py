"""Targets, messages and outcomes: pure, so tried with everything that could be typed or answered."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.channels.email import text_of
from core.channels.message import (
    Facts,
    Message,
    judged_percent,
    printable,
    scale_text,
    sentence,
    spark_text,
    title,
    word,
)
from core.channels.outcome import Reason, of_http, of_smtp, parse_retry_after, wait_before
from core.channels.render_html import page
from core.channels.render_slack import WORKFLOW_VARIABLES, blocks_of, escaped, variables_of
from core.channels.slack import scrubbed
from core.channels.targets import SlackKind, mask, parse_email, parse_slack_url
from core.errors import InvalidInput
from core.terms import ChannelKind, Event

HOSTS = ("hooks.slack.com", "hooks.slack-gov.com", "127.0.0.1:8099")
URL = "https://hooks.slack.com/services/T000/B000/secretsecret"
FACTS = Facts(event="opened", kind="source_volume", alert=7, connection="website", connection_name="Website",
              threshold=2000, current=812, baseline=2801, window_start=500_000 - 24, window_end=500_000,
              spark=[5] * 48, set_by="Ada Lovelace", set_by_email="ada@example.com")
HOSTILE = ["<script>alert(1)</script>", '"><img src=http://evil.test/x>', "' style=url(//evil.test) '", "&lt;b&gt;",
           "<!-- --><link href=//evil.test>", "</style><style>@import url(//evil.test)</style>", "]]><?php ?>"]
MOMENT = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(("url", "kind"), [
    (URL, SlackKind.WEBHOOK), ("https://hooks.slack-gov.com/services/T/B/x", SlackKind.WEBHOOK),
    ("https://hooks.slack.com/triggers/T/1/x", SlackKind.WORKFLOW),
    ("https://hooks.slack.com/workflows/T/A/1/x", SlackKind.WORKFLOW),
    ("http://127.0.0.1:8099/services/T/B/x", SlackKind.WEBHOOK)])
def test_a_slack_url_is_known_by_host_and_path(url: str, kind: SlackKind) -> None:
    assert parse_slack_url(url, HOSTS) is kind


@pytest.mark.parametrize("url", [
    "", "https://hooks.slack.com.evil.test/services/T/B/x", "https://evil.test/hooks.slack.com/services/T/B/x",
    "https://hooks.slack.com@evil.test/services/T/B/x", "https://evil.test#@hooks.slack.com/services/T/B/x",
    "http://hooks.slack.com/services/T/B/x", "https://hooks.slack.com/", "https://hooks.slack.com/services/",
    "https://hooks.slack.com/api/T/B/x", "https://hooks.slack.com:8443/services/T/B/x",
    "http://127.0.0.1:9/services/T/B/x", "https://hooks.slack.com/services/T/B/x\r\nHost: evil",
    "https://hooks.slаck.com/services/T/B/x", "ftp://hooks.slack.com/services/T/B/x",
    "https://hooks.slack.com\\@evil.test/services/T/B/x", "https://[::1/services/T/B/x"])
def test_a_look_alike_is_refused_without_repeating_its_secret(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_slack_url(url, HOSTS)
    assert refused.value.field == "slack"
    assert "/T/B/x" not in str(refused.value)


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=12, max_size=40))
def test_a_masked_url_never_holds_its_secret(secret: str) -> None:
    for path in ("services/T00/B00", "triggers/T00/123", "workflows/T00/A00/1", "other"):
        shown = mask(ChannelKind.SLACK, f"https://hooks.slack.com/{path}/{secret}?token={secret}")
        assert secret not in shown
        assert shown.endswith("••••")


def test_a_masked_url_says_which_it_is() -> None:
    assert mask(ChannelKind.SLACK, URL) == "hooks.slack.com/services/T…/B…/••••"


@pytest.mark.parametrize("text", ["", "ada", "ada@", "@x.com", "a b@x.com", "ada@x.com\nBcc: eve@x.com", "a@b@c.com",
                                  "Ada <ada@x.com>", "ada@x..com", ".ada@x.com", "ada@x.com,eve@x.com"])
def test_what_is_not_one_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_email(text)


def test_an_address_is_trimmed() -> None:
    assert parse_email(" team+alerts@Example.COM ") == "team+alerts@example.com"


@pytest.mark.parametrize(("change", "said"), [
    ({}, "Website: 812 events in 24 h, 71 % fewer than the 2,801 before; you asked to hear about a change of more "
         "than 20 %"),
    ({"baseline": 0}, "from 0 to 812 events"), ({"event": "resolved", "current": 2801},
     "Website is back in range: 2,801 events in 24 h, as many as before"),
    ({"event": "reminder"}, "Website is still firing: 812"), ({"event": "test"}, "Test message for Website"),
    ({"event": "gap", "text": "nobody listened"}, "nobody listened"), ({"current": 0}, "100 % fewer than the 2,801"),
    ({"direction": "drop"}, "a drop of more than 20 %"), ({"baseline_kind": "week_before"}, "a week before"),
    ({"kind": "successful_delivery_rate", "delivered": 9896, "failed": 104, "threshold": 9900},
     "98.9 % delivered in 24 h, 9,896 of 10,000 attempts; you asked to hear about less than 99 %")])
def test_the_sentence_says_both_numbers(change: dict[str, object], said: str) -> None:
    assert said in sentence(msgspec.structs.replace(FACTS, **change))


@given(st.integers(0, 10**15), st.integers(1, 10**15), st.integers(1, 100_000))
def test_a_percentage_is_cut_and_stays_on_its_side_of_the_threshold(part: int, whole: int, threshold: int) -> None:
    text = judged_percent(part, whole, threshold).replace(",", "")
    shown, exact, bar = Fraction(text), Fraction(part * 100, whole), Fraction(threshold, 100)
    assert exact - 1 < shown <= exact
    assert (shown > bar) == (exact > bar)
    assert (shown < bar) == (exact < bar)


@given(st.text(max_size=5000), st.integers(10, 3000))
def test_escaped_text_holds_no_markup_and_no_cut_entity(text: str, most: int) -> None:
    shown = escaped(text, most)
    assert len(shown) <= most
    assert not set(shown) & {"<", ">"}
    bare = shown.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert "&" not in bare


@given(st.text(max_size=4000), st.integers(1, 120))
def test_blocks_stay_within_slacks_limits(name: str, count: int) -> None:
    body = blocks_of(word([msgspec.structs.replace(FACTS, connection_name=name, set_by=name)] * count))
    blocks = body["blocks"]
    assert isinstance(blocks, list)
    assert len(blocks) <= 50
    assert len(str(body["text"])) <= 40_000
    for block in blocks:
        texts = block["elements"] if block["type"] == "context" else [block["text"]]
        assert len(texts) <= 10
        assert all(0 < len(text["text"]) <= (150 if block["type"] == "header" else 3000) for text in texts)


def test_a_workflow_gets_the_same_string_variables_every_time() -> None:
    for event in ("opened", "reminder", "resolved", "test", "channel_failed", "gap"):
        filled = variables_of(word([msgspec.structs.replace(FACTS, event=event)]))
        assert tuple(filled) == WORKFLOW_VARIABLES
        assert all(isinstance(value, str) for value in filled.values())
    assert variables_of(word([FACTS]))["change"] == "-71 %"


class Reader(HTMLParser):
    """What a mail client makes of a page: its tags, attributes, style sheet, and the text a person reads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.sheet = self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(key, value or "") for key, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.lasttag == "style":
            self.sheet += data
        self.text += data.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("told", [
    lambda message: Reader(page(message)).text, text_of, lambda message: str(blocks_of(message)),
    lambda message: str(variables_of(message))], ids=["html", "plain", "webhook", "workflow"])
def test_every_message_says_window_sparkline_setter_and_command(told: Callable[[Message], str]) -> None:
    for piece in ("812 events", "2,801 before", "2027-01-14 08:00 to 2027-01-15 08:00 UTC", "█" * 48,
                  "Ada Lovelace (ada@example.com)", "tocsin alert show 7"):
        assert piece in told(word([FACTS])).replace("\n", " ")


@given(st.text(max_size=200) | st.sampled_from(HOSTILE), st.sampled_from(list(Event)), st.integers(1, 8))
def test_a_mails_page_fetches_nothing_and_escapes_every_name(name: str, event: Event, count: int) -> None:
    facts = msgspec.structs.replace(FACTS, event=event.value, connection_name=name, set_by=name, text=name)

    read = Reader(page(word([facts] * count)))

    assert read.tags <= {
        "html", "head", "meta", "title", "style", "body", "div", "h1", "p", "span", "table", "tr", "td"}
    assert {key for key, _ in read.attributes} <= {"lang", "charset", "name", "content", "class", "style", "role"}
    for text in [read.sheet, *(value for _, value in read.attributes)]:
        assert not re.search(r"url\(|@import|http|//|expression|@font-face", text)
    assert printable(name) in read.text


def test_a_storm_of_hundreds_names_what_it_has_no_room_for() -> None:
    storm = word([msgspec.structs.replace(FACTS, connection_name=f"Source {number}") for number in range(400)])

    shown = {"html": Reader(page(storm)).text, "plain": " ".join(text_of(storm).split()),
             "webhook": str(blocks_of(storm))}

    assert {name for name, text in shown.items() if "Source 46:" in text and "Source 120" in text} == set(shown)
    assert {name for name, text in shown.items() if re.search(r"and \d+ more", text)} == set(shown)
    assert len(page(storm).encode()) < 102_000
    assert len(str(blocks_of(storm)["blocks"])) < 40_000


@given(st.text(max_size=2000), st.text(max_size=80), st.integers(1, 8))
def test_a_mails_plain_text_has_short_lines(name: str, setter: str, count: int) -> None:
    facts = msgspec.structs.replace(FACTS, connection_name=name, set_by=setter)

    lines = text_of(word([facts] * count)).splitlines()

    longest = max(len(word) for word in f"{name} {setter} (ada@example.com),".split())
    assert all(len(line) <= max(78, longest + 12) for line in lines)
    assert any(line == f"Last 48 h: {'█' * 48}" for line in lines)


@pytest.mark.parametrize(("change", "bars", "scale"), [
    ({"spark": [0, 1, 50, 100]}, "▁▂▄█", "0 to 100 events"), ({"spark": [0, 0]}, "▁▁", "no events"),
    ({"spark": [7, 7]}, "██", "7 to 7 events"), ({"spark": [0, 1]}, "▁█", "0 to 1 event"),
    ({"kind": "successful_delivery_rate", "spark": [10_000, 10_000]}, "██", "100 % to 100 % delivered"),
    ({"kind": "successful_delivery_rate", "spark": [0, 0]}, "▁▁", "0 % to 0 % delivered"),
    ({"kind": "successful_delivery_rate", "spark": [9900, -1, 10_000]}, "▁·█", "99 % to 100 % delivered"),
    ({"kind": "successful_delivery_rate", "spark": [-1, -1]}, "··", "nothing was attempted")])
def test_bars_and_what_they_stand_for(change: dict[str, object], bars: str, scale: str) -> None:
    facts = msgspec.structs.replace(FACTS, **change)
    assert spark_text(facts) == bars
    assert scale_text(facts).endswith(scale)


@pytest.mark.parametrize(("change", "said"), [
    ({"current": 2500}, "Website is back in range after 30 h: 2,500 events"),
    ({"current": 0, "baseline": 0}, "Website has no events any more, 0 in 24 h and 0 before"),
    ({"current": 9, "baseline": 95, "min_events": 100}, "Website has too few events to compare: 9 events"),
    ({"current": 9000, "direction": "drop"}, "Website is back in range after 30 h: 9,000 events")])
def test_what_ended_without_recovery_is_not_called_back_in_range(change: dict[str, object], said: str) -> None:
    facts = msgspec.structs.replace(FACTS, event="resolved", opened_hour=FACTS.window_end - 30, **change)
    assert sentence(facts).startswith(said)
    assert title(facts).startswith("Resolved: " if "back in range" in said else "Closed: ")


@given(st.text(max_size=300))
def test_a_title_is_one_printable_line(name: str) -> None:
    assert title(msgspec.structs.replace(FACTS, connection_name=name)).isprintable()


@pytest.mark.parametrize(("status", "body", "reason", "permanent"), [
    (200, "ok", Reason.SENT, False), (200, '{"ok":true}', Reason.SENT, False), (200, "", Reason.SENT, False),
    (200, '{"ok":false,"error":"x"}', Reason.REFUSED, True), (400, "invalid_payload", Reason.REFUSED, True),
    (403, "invalid_token", Reason.REFUSED, True), (404, "no_service", Reason.REFUSED, True),
    (410, "channel_is_archived", Reason.REFUSED, True), (408, "", Reason.TIMED_OUT, False),
    (425, "", Reason.SERVER_ERROR, False), (429, "rate_limited", Reason.RATE_LIMITED, False),
    (500, "rollup_error", Reason.SERVER_ERROR, False), (503, "", Reason.SERVER_ERROR, False),
    (302, "", Reason.REDIRECTED, True)])
def test_the_table_of_http_answers(status: int, body: str, reason: Reason, permanent: bool) -> None:
    outcome = of_http(status, body)
    assert (outcome.reason, outcome.permanent) == (reason, permanent)
    assert str(status) in outcome.answer


@pytest.mark.parametrize(("code", "about_message", "permanent"), [
    (550, True, True), (554, True, True), (450, True, False), (421, True, False), (554, False, False)])
def test_the_table_of_smtp_answers(code: int, about_message: bool, permanent: bool) -> None:
    assert of_smtp(code, "said", about_message=about_message).permanent is permanent


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_wait_doubles_is_jittered_and_ends_at_half_an_hour(tries: int, chance: float) -> None:
    doubled = min(1800.0, 5.0 * 2 ** min(tries - 1, 20))
    wait = wait_before(tries, chance).total_seconds()
    assert doubled * 0.5 - 1e-3 <= wait <= min(1800.0, doubled * 1.5) + 1e-3


@pytest.mark.parametrize(("header", "seconds"), [
    ("120", 120), (" 7 ", 7), ("0", 0), ("Mon, 23 Nov 2026 12:02:00 GMT", 120), ("Mon, 23 Nov 2026 11:00:00 GMT", 0),
    ("999999999", 86400), ("soon", None), ("", None), (None, None), ("-5", None), ("٣", None)])
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: int | None) -> None:
    assert parse_retry_after(header, MOMENT) == (None if seconds is None else timedelta(seconds=seconds))


@given(st.text(max_size=60))
def test_any_retry_after_is_read_without_a_fault(header: str) -> None:
    wait = parse_retry_after(header, MOMENT)
    assert wait is None or timedelta(0) <= wait <= timedelta(hours=24)


def test_an_answer_that_echoes_the_url_is_shown_without_it() -> None:
    assert scrubbed(f"cannot post to {URL} or secretsecret", URL) == "cannot post to •••• or ••••"
