"""The log: one rotating file only its owner can read, with every secret masked before it is written."""

from __future__ import annotations

import logging
import os
import re
from logging.handlers import RotatingFileHandler
from pathlib import Path

SECRETS = [
    (re.compile(r"(/(?:services|triggers|workflows)/)[^\s\"'<>]+"), r"\1••••"),
    (re.compile(r"(://[^:/@\s]+:)[^@\s]+(@)"), r"\1••••\2"),
    (re.compile(r"((?:Bearer|Basic)\s+)\S+", re.IGNORECASE), r"\1••••"),
]
NOISY = ("httpx", "httpcore", "aiohttp.access", "apscheduler", "asyncio")


def masked(text: str) -> str:
    """`text` with webhook paths, passwords in URLs and authorisation headers masked."""
    for pattern, shown in SECRETS:
        text = pattern.sub(shown, text)
    return text


class Masked(logging.Formatter):
    """Masks the finished line, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """The line to write."""
        return masked(super().format(record))


def log_to(folder: Path) -> Path:
    """Write warnings and worse (and our own notes) to `tocsin.log` in `folder`; return the file."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "tocsin.log"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600))
    handler = RotatingFileHandler(path, maxBytes=2_000_000, backupCount=3, encoding="utf-8")
    handler.setFormatter(Masked("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    return path
