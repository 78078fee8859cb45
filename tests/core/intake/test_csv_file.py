"""CSV: what is exported can be imported again, and one bad row refuses the whole file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import Hour, iso, start_of
from core.counts import LARGEST_COUNT, Key, covered_hours, series
from core.errors import NotFound
from core.intake.csv_file import BadRow, export_counts, import_counts, known_connections, read_counts
from core.store import Store
from core.terms import ConnectionKind, Stage
from tests.core.acme import Acme, H, found

KNOWN = {"website": (1, ConnectionKind.SOURCE), "amplitude": (2, ConnectionKind.DESTINATION)}
HEADER = "connection,hour,stage,count\n"
WHEN = "2026-11-23T08:00:00Z"


@pytest.fixture
def acme(store: Store) -> Acme:
    return found(store)


def read(text: str | bytes) -> dict[Key, int]:
    return read_counts(io.BytesIO(text if isinstance(text, bytes) else text.encode()), "counts.csv", KNOWN)


keys = st.one_of(
    st.tuples(st.just("website"), st.just(Stage.RECEIVED)),
    st.tuples(st.just("amplitude"), st.sampled_from([Stage.DELIVERED, Stage.FAILED, Stage.FILTERED])))
rows_of_a_file = st.lists(st.tuples(
    keys, st.integers(0, 500_000).map(Hour), st.integers(0, LARGEST_COUNT),
    st.integers(-12, 14), st.booleans()), max_size=30)


@given(rows_of_a_file, st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_a_well_formed_file_is_read_and_the_last_of_repeated_rows_wins(
    rows: list[tuple[tuple[str, Stage], Hour, int, int, bool]], bom: bool, ending: str
) -> None:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator=ending)
    writer.writerow(["connection", "hour", "stage", "count"])
    expected = {}
    for (slug, stage), hour, count, offset, zulu in rows:
        local = start_of(hour).astimezone(timezone(timedelta(hours=offset)))
        if local.year < 1970:
            local = start_of(hour)
        writer.writerow([slug, iso(start_of(hour)) if zulu else local.isoformat(), stage.value, count])
        expected[KNOWN[slug][0], hour, stage] = count

    found = read((b"\xef\xbb\xbf" if bom else b"") + written.getvalue().encode())

    assert found == expected


@pytest.mark.parametrize(("row", "reason"), [
    (f"nowhere,{WHEN},received,1", "there is no connection called 'nowhere'"),
    (f"website,{WHEN},delivered,1", "website is a source, whose stages are received, not 'delivered'"),
    (f"amplitude,{WHEN},received,1", "amplitude is a destination, whose stages are delivered, failed, filtered"),
    (f"website,{WHEN},Received,1", "whose stages are received"),
    (f"website,{WHEN},received,-1", "the count must be a whole number from 0"),
    (f"website,{WHEN},received,1.5", "the count must be a whole number"),
    (f"website,{WHEN},received,1e3", "the count must be a whole number"),
    (f"website,{WHEN},received,", "the count must be a whole number"),
    (f"website,{WHEN},received,1000000000000001", "to 1000000000000000"),
    (f"website,{WHEN},received,٣", "the count must be a whole number"),
    ("website,2026-11-23T08:30:00Z,received,1", "a whole UTC hour"),
    ("website,2026-11-23T08:00:00+05:30,received,1", "a whole UTC hour"),
    ("website,2026-11-23,received,1", "must look like"),
    ("website,yesterday,received,1", "must look like"),
    ("website,1969-12-31T23:00:00Z,received,1", "must look like"),
    ("website,0001-01-01T00:00:00+01:00,received,1", "must look like"),
    (f"website,{WHEN},received", "this one has 3"),
    (f"website,{WHEN},received,1,2", "this one has 5"),
    (f'"website,{WHEN},received,1', "end of data"),
    ("website\x1b[2J,x,received,1", r"called 'website\x1b[2J'"),
])
def test_a_bad_row_is_refused_with_its_line_and_reason(row: str, reason: str) -> None:
    with pytest.raises(BadRow) as refused:
        read(f"{HEADER}website,{WHEN},received,1\n{row}\n")

    assert str(refused.value).startswith("counts.csv:3: ")
    assert reason in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(("content", "sentence"), [
    (b"", "counts.csv:1: the header connection,hour,stage,count is missing"),
    (b"slug,hour,stage,count\n", "counts.csv:1: the first line must be"),
    (f"website,{WHEN},received,1\n".encode(), "counts.csv:1: the first line must be"),
    (HEADER.encode() + b"website,\xff,received,1\n", "counts.csv:2: the line is not UTF-8"),
    (HEADER.encode() + b"x" * 3_000_000, "counts.csv:2: the line is longer than 2,000 bytes"),
])
def test_a_file_that_is_something_else_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(BadRow) as refused:
        read(content)

    assert str(refused.value).startswith(sentence)


def test_blank_lines_and_spaces_do_no_harm() -> None:
    found = read(f"{HEADER}\n website , {WHEN} , received , 12 \n\n")

    assert list(found.values()) == [12]


def test_an_import_sets_counts_and_vouches_from_the_first_to_the_last_hour_of_each(acme: Acme) -> None:
    acme.counted({Hour(H - 5): 100})
    with acme.store.write() as session:
        known = known_connections(session)
        rows = read_counts(io.BytesIO(
            f"{HEADER}website,{iso(start_of(H - 9))},received,1\nwebsite,{iso(start_of(H - 5))},received,3\n"
            f"amplitude,{iso(start_of(H - 2))},failed,0\n".encode()), "-", known)
        done = import_counts(session, rows)

    with acme.store.read() as session:
        counted = series(session, [acme.website], Hour(H - 9), H)
        covered = covered_hours(session, None, Hour(0))
    assert counted[acme.website, Stage.RECEIVED] == [1, 0, 0, 0, 3, 0, 0, 0, 0]
    assert covered == {acme.website: [((H - 9) * 3600, (H - 4) * 3600)],
                       acme.amplitude: [((H - 2) * 3600, (H - 1) * 3600)]}
    assert (done.counts, done.connections, done.since, done.until) == (3, 2, H - 9, H - 1)
    assert acme.one("SELECT first_hour FROM connection WHERE slug = 'website'") == (H - 9,)


def test_importing_what_was_exported_changes_nothing(acme: Acme) -> None:
    acme.counted({Hour(H - hour): hour * 7 for hour in range(1, 30)})
    acme.counted({Hour(H - 3): 5}, Stage.FILTERED)
    acme.counted({Hour(H - 3): 6}, Stage.DELIVERED)
    with acme.store.read() as session:
        first = "".join(export_counts(session))

    with acme.store.write() as session:
        import_counts(session, read_counts(io.BytesIO(first.encode()), "-", known_connections(session)))
    with acme.store.read() as session:
        second = "".join(export_counts(session))

    assert second == first
    lines = first.splitlines()
    assert lines[0] == "connection,hour,stage,count"
    assert lines[1:] == sorted(lines[1:])
    assert len(lines) == 32


def test_an_export_is_of_one_connection_from_a_time_on(acme: Acme) -> None:
    acme.counted({Hour(H - 3): 1, Hour(H - 2): 2})
    acme.counted({Hour(H - 2): 9}, Stage.FAILED)

    with acme.store.read() as session:
        lines = list(export_counts(session, slug="website", since=start_of(H - 2)))
        with pytest.raises(NotFound):
            list(export_counts(session, slug="nothing"))

    assert lines == [HEADER, f"website,{iso(start_of(H - 2))},received,2\n"]


def test_an_empty_import_says_so(acme: Acme) -> None:
    with acme.store.write() as session:
        done = import_counts(session, read(HEADER))

    assert done.as_json() == {"counts": 0, "connections": 0, "since": None, "until": None}
