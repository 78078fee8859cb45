"""What reading Segment can run into. Each sentence is shown to the user and never holds the token."""

from __future__ import annotations

from core.errors import TocsinError


class SegmentError(TocsinError):
    """Segment could not be read."""


class TokenRefused(SegmentError):
    """401: Segment does not tell an invalid token from one that lacks a permission."""


class Refused(SegmentError):
    """Segment understood the request and said no to it (404, 409, 413, 422, …); asking again changes nothing."""


class Unavailable(SegmentError):
    """Segment could not be reached, or kept failing or asking to wait, for longer than one request may take."""


class NotUnderstood(SegmentError):
    """Segment's answer was not what its documentation says, or larger than an answer may be."""
