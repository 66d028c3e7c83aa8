"""The loop that takes messages. Each message: its trace, its log line, its metrics."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram

from .logs import trace_id, trace_of
from .source import Message, Source

MESSAGES = Counter("messages_total", "Messages handled.", ["result"])
SECONDS = Histogram("message_duration_seconds", "Seconds that a message took.")
IN_PROGRESS = Gauge("messages_in_progress", "Messages in hand.")
for _result in "ok", "error":  # with 0 from the start: a first error that comes with its series is no rise
    MESSAGES.labels(_result)

TAKE_SECONDS = 1.0
"""How long one look for a message may last, and so how late SIGTERM may be noticed."""
PAUSE_SECONDS = 5.0
"""How long the loop waits where the source has failed."""
HANG_SECONDS = 60.0
"""Where nothing was looked for in so many seconds, and nothing is in hand, the loop hangs."""
_log = logging.getLogger(__name__)


class Pulse:
    """The loop's sign of life, which probes read from threads of their own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self.in_hand = False
        self._dead = False

    def beat(self, *, in_hand: bool) -> None:
        """The loop is here, with or without a message in hand."""
        self._last = self._clock()  # first: between the two, what was in hand still counts
        self.in_hand = in_hand

    def stop(self) -> None:
        """The loop has ended, and was not asked to."""
        self._dead = True

    @property
    def alive(self) -> bool:
        """Whether the loop runs; how long a message in hand takes, is the message's business."""
        return not self._dead and (self.in_hand or self._clock() - self._last <= HANG_SECONDS)


def consume(source: Source, handle: Callable[[Message], None], pulse: Pulse, leaving: threading.Event) -> None:
    """Take messages and handle them, one after the other, until `leaving`; none is begun after that."""
    try:
        while not leaving.is_set():
            pulse.beat(in_hand=False)
            message = _taken(source, leaving)
            if message is not None and leaving.is_set():
                _nack(message)
            elif message is not None:
                pulse.beat(in_hand=True)
                _handle(message, handle)
                pulse.beat(in_hand=False)
        source.close()
    except BaseException:  # a library's SystemExit too: the process goes on, and its probe tells
        pulse.stop()
        _log.critical("no more messages are taken", exc_info=True)


def _taken(source: Source, leaving: threading.Event) -> Message | None:
    """What `source` has; a queue that cannot be reached is no reason to end, nor one for its probe to fail."""
    try:
        return source.take(TAKE_SECONDS)
    except Exception:
        _log.exception("no message could be taken")
        leaving.wait(PAUSE_SECONDS)
        return None


def _handle(message: Message, handle: Callable[[Message], None]) -> None:
    result, began = "error", time.perf_counter()
    token = trace_id.set("")
    try:
        trace_id.set(trace_of(message.properties.get("traceparent", "")))
        with IN_PROGRESS.track_inprogress():
            handle(message)
            message.ack()
        result = "ok"
    except Exception:
        _log.exception("message failed")
        _nack(message)
    finally:
        seconds = time.perf_counter() - began
        MESSAGES.labels(result).inc()
        SECONDS.observe(seconds)
        _log.info("message", extra={"fields": {"result": result, "seconds": round(seconds, 4)}})
        trace_id.reset(token)


def _nack(message: Message) -> None:
    try:
        message.nack()
    except Exception:  # the queue gives it again by itself, when it hears no more of it
        _log.exception("a message could not be given back")
