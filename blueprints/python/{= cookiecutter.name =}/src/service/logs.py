"""Logs as one JSON object a line on stdout: time, level, msg, service, version, trace_id, and what a line adds."""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from .settings import Settings

trace_id: ContextVar[str] = ContextVar("trace_id", default="")
"""The trace of the {= {"http": "request", "worker": "message"}[cookiecutter.kind] =} in hand: 32 hex digits, or nothing outside of one."""

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def trace_of(traceparent: str) -> str:
    """The trace that a W3C `traceparent` names, else a new one."""
    told = _TRACEPARENT.fullmatch(traceparent)
    return told[1] if told else secrets.token_hex(16)


class JsonLines(logging.Formatter):
    """Formats records as JSON; `extra={"fields": {...}}` adds keys to a line."""

    def __init__(self, service: str, version: str) -> None:
        super().__init__()
        self._service, self._version = service, version

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "msg": record.getMessage(),
            "service": self._service,
            "version": self._version,
            "trace_id": trace_id.get(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        fields = getattr(record, "fields", {})
        return json.dumps({**line, **fields, **line}, ensure_ascii=False, default=str)  # no field replaces a key


def start(settings: Settings) -> None:
    """Send all logs of this process, those of libraries too, to stdout as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(settings.service, settings.version))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
