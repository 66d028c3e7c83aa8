"""Where messages come from. A sample: put the client of the service's queue in its place."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .settings import Settings


class Message(Protocol):
    """A message that was taken: it stays with the queue until it is acknowledged."""

    @property
    def body(self) -> bytes:
        """What it says."""

    @property
    def properties(self) -> Mapping[str, str]:
        """What stands beside it; `traceparent` among it is the trace that it belongs to."""

    def ack(self) -> None:
        """It is done: the queue may forget it."""

    def nack(self) -> None:
        """It is not done: the queue may give it again. One that never succeeds is the queue's business to set aside."""


class Source(Protocol):
    """A queue. It is asked by one thread; what it raises is logged, and it is asked again a little later."""

    def take(self, seconds: float) -> Message | None:
        """The next message, or None where there is none within so many seconds."""

    def close(self) -> None:
        """No more is taken: let the queue know."""


def connect(settings: Settings) -> Source:
    """The source of this service's messages."""
    return EverySecond()


@dataclass(frozen=True)
class Sample:
    """A message that came from nowhere and goes there."""

    body: bytes
    properties: Mapping[str, str] = field(default_factory=dict)

    def ack(self) -> None: ...

    def nack(self) -> None: ...


class EverySecond:
    """A queue that has one message a second."""

    def take(self, seconds: float) -> Message | None:
        time.sleep(min(seconds, 1.0))
        return Sample(b"hello")

    def close(self) -> None: ...
