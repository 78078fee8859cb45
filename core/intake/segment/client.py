"""HTTP to Segment's Public API: one token, a ceiling on requests in flight, patience, and errors a person can read."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from types import TracebackType
from typing import Self, TypeVar

import httpx
import msgspec

from core.errors import InvalidInput
from core.intake.segment.errors import NotUnderstood, Refused, SegmentError, TokenRefused, Unavailable
from core.intake.segment.wire import V1, Envelope, Problem, Problems, Wait

REGIONS = {"us": "https://api.segmentapis.com", "eu": "https://eu1.api.segmentapis.com"}
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
IN_FLIGHT = 8
"""Requests at once: a delivery answer takes about a second, so 8 stay near the unpublished 250 a minute."""
TRIES = 6
"""How often one request is sent before a failing Segment is given up on; 0.5 + 1 + 2 + 4 + 8 s between them."""
WAITS = 20
"""How often one request lets Segment put it off."""
LONGEST_WAIT = 900.0
"""Seconds; a Retry-After beyond it ends the sync, which the next hour takes up again."""
LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes; a page of 100 destinations with all their settings' descriptions stays well below."""
TIMEOUT = 30.0

Answer = TypeVar("Answer")
Params = Mapping[str, str | int]


class _TryAgain(Exception):
    """A request that may succeed later; `wait` is what Segment asked for, in seconds."""

    def __init__(self, sentence: str, wait: float | None = None) -> None:
        super().__init__(sentence)
        self.wait = wait


def base_url(region: str | None, override: str | None) -> str:
    """The API's address for a region (us or eu), or the override. Raises InvalidInput.

    The token travels with every request, so anything but https is for this machine only.
    """
    if override:
        try:
            url = httpx.URL(override)
        except httpx.InvalidURL as error:
            raise InvalidInput(f"TOCSIN_SEGMENT_URL is not a URL: {error}.", "url") from error
        if url.userinfo or url.query or url.fragment or not url.host:
            raise InvalidInput("TOCSIN_SEGMENT_URL wants only https://HOST, a port and a path.", "url")
        if url.scheme != "https" and not (url.scheme == "http" and url.host in LOOPBACK):
            raise InvalidInput("TOCSIN_SEGMENT_URL must start with https:// (http:// only for this machine).", "url")
        return override.rstrip("/")
    if (region or "us") not in REGIONS:
        raise InvalidInput(f"The region is us or eu, not {region}.", "region")
    return REGIONS[region or "us"]


def check_token(token: str) -> str:
    """The token without surrounding blanks. Raises InvalidInput when it could not stand in a header."""
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidInput("A Segment token is one word of plain characters; copy it again from Segment.", "token")
    return token


class Client:
    """An open client. `requests` counts what was sent; `sleep` and `monotonic` (seconds) can be replaced in tests."""

    def __init__(
        self,
        token: str,
        url: str,
        *,
        timeout: float = TIMEOUT,
        in_flight: int = IN_FLIGHT,
        largest_answer: int = LARGEST_ANSWER,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.requests = 0
        self._url = url.rstrip("/")
        self._largest = largest_answer
        self._timeout = timeout
        self._slots = asyncio.Semaphore(in_flight)
        self._sleep = sleep
        self._monotonic = monotonic
        self._held_until = 0.0
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {check_token(token)}", "User-Agent": "tocsin"},
            timeout=timeout,
            follow_redirects=False,
            trust_env=httpx.URL(url).host not in LOOPBACK,
            verify=_trust(),
            limits=httpx.Limits(max_connections=in_flight),
        )

    async def __aenter__(self) -> Self:
        """The client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def get(
        self, path: str, answer: type[Answer], what: str, params: Params | None = None, accept: str = V1
    ) -> Answer:
        """The `data` of one answer. `what` completes "read …" in an error's sentence. Raises SegmentError."""
        async with self._slots:
            body = await self._patiently(path, what, params or {}, accept)
        try:
            return msgspec.json.decode(msgspec.json.decode(body, type=Envelope).data, type=answer)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise NotUnderstood(f"Segment's answer was not understood ({what}): {_plain(str(error))}.") from error

    async def _patiently(self, path: str, what: str, params: Params, accept: str) -> bytes:
        failures = waits = 0
        while True:
            await self._wait_for_hold()
            try:
                return await self._once(path, what, params, accept)
            except _TryAgain as again:
                # Being told when to come back is no failure, but it must not go on for ever either.
                waits, failures = (waits + 1, failures) if again.wait is not None else (waits, failures + 1)
                if failures == TRIES or waits == WAITS:
                    raise Unavailable(f"Segment could not be read ({what}): {again}. The next sync tries again."
                                      ) from again
                await self._pause(again, failures, what)

    async def _once(self, path: str, what: str, params: Params, accept: str) -> bytes:
        self.requests += 1
        try:
            # httpx limits each read; a server that drips would hold a slot for ever without a limit over all of them.
            async with asyncio.timeout(self._timeout * 4), self._http.stream(
                "GET", self._url + path, params=dict(params), headers={"Accept": accept}
            ) as response:
                body = await self._body(response, what)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise _TryAgain("it did not answer in time") from error
        except httpx.TransportError as error:
            raise _TryAgain(_plain(str(error)) or "the connection broke") from error
        except httpx.DecodingError as error:
            raise _TryAgain("the answer arrived damaged") from error
        if response.status_code == 200:
            if not _whole(body):
                raise _TryAgain("the answer was not whole")
            return body
        raise _failure(response, body, what)

    async def _body(self, response: httpx.Response, what: str) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._largest:
                raise NotUnderstood(f"Segment's answer was larger than {self._largest:,} bytes ({what}).")
            parts.append(part)
        return b"".join(parts)

    async def _pause(self, again: _TryAgain, failures: int, what: str) -> None:
        if again.wait is not None:
            if again.wait > LONGEST_WAIT:
                raise Unavailable(f"Segment asks to wait for {again.wait:.0f} s ({what}); the next sync tries again.")
            # The limit belongs to the token, so one 429 holds back every request.
            self._held_until = max(self._held_until, self._monotonic() + again.wait)
            return
        await self._sleep(0.25 * 2**failures * random.uniform(0.5, 1.5))

    async def _wait_for_hold(self) -> None:
        while (left := self._held_until - self._monotonic()) > 0:
            await self._sleep(left)


@cache
def _trust() -> ssl.SSLContext:
    # Reading the certificates takes 15 ms.
    return httpx.create_ssl_context()


def _failure(response: httpx.Response, body: bytes, what: str) -> SegmentError | _TryAgain:
    """The error that an answer other than 200 stands for."""
    status = response.status_code
    problems = _problems(body)
    said = "; ".join(filter(None, map(_worded, problems)))
    if status == 429:
        return _TryAgain(said or "too many requests", _asked_wait(response, problems))
    if status >= 500 or status == 408:
        return _TryAgain(f"it answered {status}{f' ({said})' if said else ''}")
    if status == 401:
        return TokenRefused(f"The Segment token is invalid or not allowed to read {what}; make one with Workspace "
                            "Owner access and run `tocsin segment connect`.")
    if 300 <= status < 400:
        return Refused(f"Segment answered with a redirect ({status}) for {what}; check the region and "
                       "TOCSIN_SEGMENT_URL.")
    return Refused(f"Segment refused to read {what} ({status}): {said or 'no reason given'}.")


def _problems(body: bytes) -> list[Problem]:
    try:
        return msgspec.json.decode(body, type=Problems).errors
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []


def _worded(problem: Problem) -> str:
    message = _plain(problem.message or problem.type).rstrip(".")
    field = _plain(problem.field or "")
    return f"{message} [{field}]" if field and field not in message else message


def _asked_wait(response: httpx.Response, problems: list[Problem]) -> float | None:
    """The seconds Segment asks to wait: the header in whole seconds, or the body's milliseconds."""
    header = response.headers.get("Retry-After", "").strip()
    if header.isascii() and header.isdigit():
        return float(header)
    for problem in problems:
        try:
            return msgspec.json.decode(problem.data, type=Wait).ms_before_next / 1000
        except msgspec.MsgspecError:
            continue
    return None


def _whole(body: bytes) -> bool:
    """Whether an answer has its end. A proxy may turn a broken connection into a short 200."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.MsgspecError:
        return False
    return True


def _plain(text: str) -> str:
    """One line of printable characters, not overly long: it comes from outside."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]
