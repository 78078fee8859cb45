"""Bodies of any kind: read, discarded with a reason or refused, and never anything else."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.intake import decode
from core.intake.decode import BadBody, Event

REASONS = {"bad_request", "event_too_large", "batch_too_long"}
WHOLE = {
    "track": {"event": "Bought", "userId": "u"}, "identify": {"userId": "u"}, "page": {"anonymousId": "a"},
    "screen": {"userId": 7}, "group": {"userId": "u", "groupId": "g"}, "alias": {"userId": "u", "previousId": "p"},
}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=12)
fields = st.sampled_from(["type", "event", "userId", "anonymousId", "previousId", "groupId", "messageId", "writeKey"])


def body_of(value: object) -> bytes:
    return json.dumps(value).encode()


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (decode.one, decode.batch, lambda plain: decode.inflate(plain, 1000)):
        try:
            read(body)
        except BadBody:
            continue


@given(values | st.dictionaries(fields, values))
def test_any_json_is_a_message_or_discarded_as_a_bad_request(value: object) -> None:
    found = decode.one(body_of(value))

    assert isinstance(found, Event) or found == "bad_request"


@given(st.lists(st.dictionaries(fields, values, max_size=3) | values, max_size=5))
def test_a_batch_keeps_the_number_and_order_of_its_items(items: list[object]) -> None:
    _, found = decode.batch(body_of({"batch": items}))

    assert len(found) == len(items)
    assert all(isinstance(item, Event) or item in REASONS for item in found)


@given(st.sampled_from(sorted(WHOLE)), st.dictionaries(st.text(min_size=9, max_size=12), values, max_size=3))
def test_fields_that_tocsin_does_not_know_never_matter(kind: str, extra: dict[str, object]) -> None:
    found = decode.one(body_of({**extra, **WHOLE[kind]}))

    assert isinstance(found, Event)
    assert decode.discard_reason(found, kind) is None


@pytest.mark.parametrize("body", [b"[", b'{"messageId": 5', b'{"type": 1}}', b"[[[[", b'"'])
def test_a_wrong_shape_that_is_no_json_either_is_refused(body: bytes) -> None:
    with pytest.raises(BadBody):
        decode.one(body)


@given(st.binary(max_size=3000), st.integers(0, 3000))
def test_inflating_gives_the_body_back_or_stops_at_the_limit(body: bytes, limit: int) -> None:
    packed = gzip.compress(body)

    if len(body) <= limit:
        assert decode.inflate(packed, limit) == body
    else:
        with pytest.raises(BadBody):
            decode.inflate(packed, limit)


@given(st.binary(min_size=1, max_size=500), st.data())
def test_a_gzip_body_that_was_cut_off_is_refused(body: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(body)

    with pytest.raises(BadBody):
        decode.inflate(packed[:data.draw(st.integers(0, len(packed) - 9))], 10_000)


def test_an_item_of_exactly_32_kb_counts_and_one_byte_more_does_not() -> None:
    def item(size: int) -> bytes:
        empty = b'{"type":"page","userId":"u","x":""}'
        return empty[:-2] + b"x" * (size - len(empty)) + empty[-2:]

    _, (fits, over) = decode.batch(b'{"batch":[' + item(decode.REQUEST_LIMIT) + b"," + item(32 * 1024 + 1) + b"]}")

    assert isinstance(fits, Event)
    assert over == "event_too_large"


def test_an_item_without_ids_takes_those_of_its_batch() -> None:
    _, items = decode.batch(body_of({"anonymousId": "a", "batch": [{"type": "page"}, {"type": "page", "userId": "u"}]}))

    assert [decode.discard_reason(item, "page") for item in items if isinstance(item, Event)] == [None, None]


@given(st.text(st.characters(exclude_characters=":", exclude_categories=["Cs"]), min_size=1, max_size=40),
       st.sampled_from(["", ":", ":password"]))
def test_the_user_name_of_a_basic_header_is_the_key(key: str, rest: str) -> None:
    header = "Basic " + base64.b64encode(f"{key}{rest}".encode()).decode()

    assert decode.key_of(header) == key


@given(st.text(max_size=60))
def test_any_other_header_is_no_key_or_some_text(header: str) -> None:
    assert decode.key_of(header) is None or decode.key_of(header)


@given(st.dictionaries(fields, st.text(max_size=30), max_size=5), st.booleans(), st.booleans())
def test_a_pixel_takes_both_alphabets_with_or_without_padding(
    message: dict[str, str], urlsafe: bool, padded: bool
) -> None:
    body = body_of(message)
    coded = (base64.urlsafe_b64encode(body) if urlsafe else base64.b64encode(body)).decode().replace("+", " ")

    assert decode.pixel(coded if padded else coded.rstrip("=")) == decode.one(body)
