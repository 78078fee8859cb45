"""Segment's tracking API on the wire: bodies to counted events, and why an event is not counted. Pure.

Source: reference facts, section 5 (endpoints, limits, answers) and 3.4 (discard reasons).
"""

from __future__ import annotations

import base64
import binascii
import zlib

import msgspec

REQUEST_LIMIT = 32 * 1024
BATCH_LIMIT = 500 * 1024
BATCH_EVENTS = 2500
ID_LIMIT = 100
KINDS = ("track", "identify", "page", "screen", "group", "alias")
SHORT = {kind[0]: kind for kind in KINDS}
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class BadBody(Exception):
    """A body that is answered 400: too large, or not what it should be."""


class Event(msgspec.Struct):
    """The part of a message that decides whether it counts."""

    type: str | None = None
    messageId: str | None = None
    event: msgspec.Raw = msgspec.Raw()
    userId: msgspec.Raw = msgspec.Raw()
    anonymousId: msgspec.Raw = msgspec.Raw()
    previousId: msgspec.Raw = msgspec.Raw()
    groupId: msgspec.Raw = msgspec.Raw()
    writeKey: str | None = None


class Batch(msgspec.Struct):
    """A batch; its items stay raw until their size is known. An item without ids takes those of the batch."""

    batch: list[msgspec.Raw]
    userId: msgspec.Raw = msgspec.Raw()
    anonymousId: msgspec.Raw = msgspec.Raw()
    writeKey: str | None = None


EVENT = msgspec.json.Decoder(Event, strict=False)
BATCH = msgspec.json.Decoder(Batch)
ABSENT = frozenset({b"", b"null", b'""'})


def inflate(body: bytes, limit: int) -> bytes:
    """A gzip body inflated to at most `limit` bytes. Raises BadBody beyond it, or when it is not gzip."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise BadBody("the body is not gzip") from None
    if len(plain) > limit or inflater.unconsumed_tail:
        raise BadBody(f"the body is larger than {limit} bytes")
    if not inflater.eof:
        raise BadBody("the gzip body is cut off")
    return plain


def one(body: bytes) -> Event | str:
    """A single message, or the reason why it is discarded. Raises BadBody when it is not JSON."""
    try:
        try:
            return EVENT.decode(body)
        except msgspec.ValidationError:
            # The wrong shape is told before the end of the body was seen.
            msgspec.json.decode(body, type=msgspec.Raw)
            return "bad_request"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadBody("the body is not a JSON message") from None


def batch(body: bytes) -> tuple[str | None, list[Event | str]]:
    """A batch: its write key, and each event or the reason why it is discarded unread. Raises BadBody."""
    try:
        parsed = BATCH.decode(body)
        if len(parsed.batch) > BATCH_EVENTS:
            return parsed.writeKey, ["batch_too_long"] * len(parsed.batch)
        return parsed.writeKey, [_item(raw, parsed) for raw in parsed.batch]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadBody("the body is not a JSON batch") from None


def _item(raw: msgspec.Raw, batch: Batch) -> Event | str:
    if len(memoryview(raw)) > REQUEST_LIMIT:
        return "event_too_large"
    try:
        event = EVENT.decode(raw)
    except msgspec.ValidationError:
        return "bad_request"
    if not _present(event.userId):
        event.userId = batch.userId
    if not _present(event.anonymousId):
        event.anonymousId = batch.anonymousId
    return event


def discard_reason(event: Event, kind: str | None) -> str | None:
    """Why this event is not counted, or None when it is. `kind` comes from the path, or is the event's own type."""
    if kind not in KINDS:
        return "bad_request"
    if event.messageId is not None and len(event.messageId) >= ID_LIMIT:
        return "bad_request"
    if kind == "track":
        if not _present(event.event):
            return "event_not_defined"
        if not bytes(event.event).startswith(b'"'):
            return "event_not_string"
    if kind == "alias":
        return None if _present(event.previousId) and _present(event.userId) else "no_user_anon_id"
    if kind == "group" and not _present(event.groupId):
        return "id_required"
    return None if _present(event.userId) or _present(event.anonymousId) else "no_user_anon_id"


def _present(raw: msgspec.Raw) -> bool:
    return bytes(raw) not in ABSENT


def pixel(data: str) -> Event | str:
    """The message in a pixel's query: base64 of either alphabet, padded or not. Raises BadBody."""
    coded = data.replace(" ", "+")  # a plus sign that was not escaped in the URL
    try:
        return one(base64.b64decode(coded + "=" * (-len(coded) % 4), altchars=b"-_"))
    except ValueError:
        raise BadBody("the data is not base64") from None


def key_of(authorization: str | None) -> str | None:
    """The write key of a Basic header: the user name; a colonless form is tolerated. None when there is none."""
    scheme, _, coded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        plain = base64.b64decode(coded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return plain.partition(":")[0] or None
