"""A glyph of one cell for each channel and each state of a delivery, so that colour is never the only carrier."""

from __future__ import annotations

from core.terms import ChannelKind, Delivery

CHANNELS = {ChannelKind.EMAIL: "✉", ChannelKind.SLACK: "#", ChannelKind.IN_APP: "♪"}
DELIVERIES = {Delivery.QUEUED: ("…", "$secondary"), Delivery.SENDING: ("…", "$secondary"),
              Delivery.SENT: ("✓", "$success"), Delivery.FAILED: ("✕", "$error"), Delivery.DROPPED: ("–", "$secondary")}
