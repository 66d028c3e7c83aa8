from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from prometheus_client import REGISTRY

from service import consume as loop
from service.consume import Pulse, consume
from service.logs import JsonLines
from service.source import Message

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@dataclass
class Noted:
    """A message that notes what became of it."""

    body: bytes = b""
    properties: Mapping[str, str] = field(default_factory=dict)
    became: list[str] = field(default_factory=list)
    broken: bool = False

    def ack(self) -> None:
        if self.broken:
            raise OSError("the queue has gone")
        self.became.append("ack")

    def nack(self) -> None:
        if self.broken:
            raise OSError("the queue has gone")
        self.became.append("nack")


class Listed:
    """A queue with these messages, or mistakes, and then the end of the work."""

    def __init__(self, leaving: threading.Event, *items: Message | BaseException) -> None:
        self._leaving, self._items = leaving, iter(items)
        self.closed = False

    def take(self, seconds: float) -> Message | None:
        item = next(self._items, None)
        if item is None:
            self._leaving.set()
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def run(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Listed]:
    caplog.handler.setFormatter(JsonLines("echo", "abc"))
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(loop, "PAUSE_SECONDS", 0.01)

    def run(handle: Callable[[Message], None], *items: Message | BaseException, pulse: Pulse | None = None) -> Listed:
        leaving = threading.Event()
        source = Listed(leaving, *items)
        consume(source, handle, pulse or Pulse(), leaving)
        return source

    return run


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [json.loads(line) for line in caplog.text.splitlines()]


def test_a_message_is_handled_acknowledged_and_told(
    run: Callable[..., Listed], caplog: pytest.LogCaptureFixture
) -> None:
    before = counted("messages_total", result="ok"), counted("message_duration_seconds_count")
    message = Noted(b"hello", {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    seen: list[bytes] = []
    source = run(lambda message: seen.append(message.body), message)
    assert (seen, message.became, source.closed) == ([b"hello"], ["ack"], True)
    (line,) = lines(caplog)
    assert (line["msg"], line["result"], line["trace_id"]) == ("message", "ok", TRACE)
    assert isinstance(line["seconds"], float)
    after = counted("messages_total", result="ok"), counted("message_duration_seconds_count")
    assert after == (before[0] + 1, before[1] + 1)


def test_a_message_that_fails_is_given_back_and_the_next_one_is_taken(
    run: Callable[..., Listed], caplog: pytest.LogCaptureFixture
) -> None:
    before = counted("messages_total", result="error")
    bad, good = Noted(b"bad"), Noted(b"good")

    def handle(message: Message) -> None:
        assert counted("messages_in_progress") == 1
        if message.body == b"bad":
            raise ValueError("no such account")

    run(handle, bad, good)
    assert (bad.became, good.became) == (["nack"], ["ack"])
    failed, first, second = lines(caplog)
    assert "ValueError: no such account" in str(failed["error"])
    assert failed["trace_id"] == first["trace_id"] != second["trace_id"]
    assert (failed["level"], first["result"], second["result"]) == ("ERROR", "error", "ok")
    assert (counted("messages_total", result="error"), counted("messages_in_progress")) == (before + 1, 0)


def test_a_message_that_cannot_be_acknowledged_is_an_error(
    run: Callable[..., Listed], caplog: pytest.LogCaptureFixture
) -> None:
    run(lambda _: None, Noted(broken=True))
    assert [line["msg"] for line in lines(caplog)] == ["message failed", "a message could not be given back", "message"]
    assert lines(caplog)[-1]["result"] == "error"


def test_a_source_that_fails_is_asked_again(run: Callable[..., Listed], caplog: pytest.LogCaptureFixture) -> None:
    message, pulse = Noted(), Pulse()
    run(lambda _: None, OSError("no route"), message, pulse=pulse)
    assert message.became == ["ack"]
    assert "OSError: no route" in str(lines(caplog)[0]["error"])
    assert pulse.alive


def test_a_loop_that_dies_is_told_and_is_not_alive(
    run: Callable[..., Listed], caplog: pytest.LogCaptureFixture
) -> None:
    pulse = Pulse()

    def handle(message: Message) -> None:
        raise SystemExit(3)

    run(handle, Noted(), pulse=pulse)
    assert not pulse.alive
    assert lines(caplog)[-1]["level"] == "CRITICAL"


def test_no_message_is_begun_after_the_end() -> None:
    leaving, message = threading.Event(), Noted()

    class Late:
        def take(self, seconds: float) -> Message | None:
            leaving.set()  # while the queue is being asked
            return message

        def close(self) -> None: ...

    def handle(message: Message) -> None:
        pytest.fail("it was handled")

    consume(Late(), handle, Pulse(), leaving)
    assert message.became == ["nack"]


def test_the_loop_hangs_when_nothing_is_looked_for_unless_a_message_is_in_hand() -> None:
    now = 0.0
    pulse = Pulse(lambda: now)
    now = 60.0
    assert pulse.alive
    now = 60.1
    assert not pulse.alive
    pulse.beat(in_hand=True)
    now = 9999.0
    assert pulse.alive
    pulse.beat(in_hand=False)
    assert pulse.alive
    pulse.stop()
    assert not pulse.alive
