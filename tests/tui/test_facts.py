"""What the Settings screen says of each thing, in every state it can be in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import Hour, hour_of
from core.doctor import Door, Finding, State
from core.intake.segment.link import Link
from core.service import LastPass, ServiceState
from core.vitals import Answer, ChannelVitals, Vitals
from tests.conftest import NOON
from tui.screens.facts import NAMES, Fact, Mark, Seen, collector, facts, size_of, summary

HERE = "127.0.0.1:8765"
QUIET = ChannelVitals()
LAST = LastPass(hour_of(NOON), NOON, 900, None)
WELL = {name: Finding(name, State.OK, f"{name} is well") for name in
        ("store", "schema", "clock", "scheduler", "smtp", "collector", "slack", "token")}


def fact(name: str, *, service: ServiceState | None = None, door: Door = Door.FREE, email: ChannelVitals = QUIET,
         segment: Link | None = None, stale: int = 0, **findings: Finding) -> Fact:
    seen = Seen("tocsin.db", HERE, NOON, service, WELL | findings, door,
                Vitals(1_500_000, email, QUIET, segment, stale, NOON - timedelta(hours=3) if stale else None))
    return next(found for found in facts(seen) if found.name == name)


@pytest.mark.parametrize(("service", "door", "mark", "told", "advice"), [
    (ServiceState(collector="0.0.0.0:80", events_per_second=3.25), None, Mark.WELL, "http://127.0.0.1:80  ·  3.2", ""),
    (ServiceState(), Door.OURS, Mark.WELL, "in another process", ""),
    (ServiceState(collector_error="It is taken."), Door.TAKEN, Mark.BAD, "It is taken.", "choose another address"),
    (ServiceState(collector_error="It is taken."), Door.FREE, Mark.BAD, "It is taken.", "free by now"),
    (ServiceState(collector_error="It is taken."), Door.OURS, Mark.WELL, "in another process", ""),
    (ServiceState(), Door.TAKEN, Mark.OFF, "off", "tocsin serve"),
    (None, Door.TAKEN, Mark.BAD, "taken by another program", "choose another address"),
    (None, Door.OFF, Mark.OFF, "off", "tocsin serve"),
    (None, None, Mark.LOOKING, "looking", ""),
])
def test_the_collector(service: ServiceState | None, door: Door | None, mark: Mark, told: str, advice: str) -> None:
    found = collector(service, door, HERE)

    assert (found.mark, told in found.told, advice in (found.advice or "")) == (mark, True, True)


def test_a_pass_that_is_late_or_failed_says_what_to_do() -> None:
    late = Finding("scheduler", State.WARN, "the last pass ran 5 h ago", "keep tocsin serve running")
    never = ServiceState(scheduler=True)

    assert fact("Last pass", service=never).mark is Mark.OFF
    assert fact("Last pass", service=ServiceState(last_pass=LAST)).told.endswith("took under 1 ms")
    assert fact("Last pass", service=ServiceState(last_pass=LAST), scheduler=late).advice == late.advice
    failed = fact("Last pass", service=ServiceState(last_pass=LastPass(Hour(1), NOON, 1, "boom")))
    assert (failed.mark, failed.told, failed.advice) == (Mark.BAD, "boom", "tocsin check runs a pass now and says more")


def test_messages_that_wait_while_nothing_sends_want_a_look() -> None:
    waiting = ChannelVitals(waiting=3)

    assert fact("Messages", service=ServiceState(), email=waiting).mark is Mark.CARE
    assert fact("Messages", service=ServiceState(scheduler=True), email=waiting).told.endswith("3 waiting")
    assert fact("Messages", service=ServiceState(scheduler=True, delivery_error="no")).mark is Mark.BAD


def test_a_channel_tells_its_last_answer_and_until_when_it_is_left_alone() -> None:
    refused = Answer(NOON, False, "421 later", NOON + timedelta(minutes=10))
    found = fact("Email", email=ChannelVitals(refused))

    assert (found.mark, found.told) == (Mark.CARE, "smtp is well  ·  last answer just now: 421 later")
    assert found.advice == "nothing: what waits is tried again from 12:15 UTC on"


def test_a_segment_workspace_with_stale_connections_wants_a_look() -> None:
    link = Link("ws1", "Acme", "eu", NOON, NOON, None, 1200)
    well, stale = fact("Segment", segment=link), fact("Segment", segment=link, stale=2)

    assert (well.mark, well.told) == (Mark.WELL, "Acme (eu)  ·  synced just now  ·  1,200 requests")
    assert (stale.mark, "2 connections are stale since 2026-11-23 09:05 UTC" in stale.told) == (Mark.CARE, True)


def test_the_summary_names_the_worst() -> None:
    def of(*marks: Mark) -> tuple[Mark, str]:
        found = summary([Fact(name, mark, "") for name, mark in zip(NAMES, marks, strict=False)])
        return found.mark, found.told

    assert of(Mark.WELL, Mark.OFF) == (Mark.WELL, "All is well")
    assert of(Mark.WELL, Mark.LOOKING) == (Mark.LOOKING, "Looking…")
    assert of(Mark.CARE, Mark.WELL) == (Mark.CARE, "Store needs a look")
    assert of(Mark.BAD, Mark.CARE, Mark.BAD) == (Mark.BAD, "Store and Collector need you")


@pytest.mark.parametrize(("amount", "shown"), [(12, "12 B"), (1_500, "2 kB"), (1_500_000, "1.5 MB"),
                                               (2_000_000_000, "2.0 GB")])
def test_a_size_is_shown_in_its_largest_unit(amount: int, shown: str) -> None:
    assert size_of(amount) == shown
