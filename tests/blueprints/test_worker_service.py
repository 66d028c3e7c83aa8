"""What every worker of ours does, in whatever language: started for real, given messages, probed, scraped, stopped."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.blueprints.languages import HANG_SECONDS
from tests.blueprints.rendered import MADE
from tests.blueprints.running import PATIENCE, TRACE, TRACEPARENT, Running, Service, placed, unbuilt, until

WORKERS = [made for made in MADE if made.kind == "worker"]


@pytest.fixture(scope="module", params=WORKERS, ids=str)
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The service as it is rendered, with the source that is to be replaced."""
    return placed(tmp_path_factory.mktemp("service"), request.param)


@pytest.fixture(scope="module", params=WORKERS, ids=str)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The service with a source that gives the messages that a test lists."""
    found = unbuilt(tmp_path_factory.mktemp("service"), request.param)
    found.language.listed(found.root)
    return found


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Where the source notes what became of each message."""
    path = tmp_path / "notes"
    path.write_text("")
    return path


def given(notes: Path, *messages: dict[str, Any]) -> dict[str, str]:
    """The variables that make the source give these messages."""
    return {"MESSAGES": json.dumps(messages), "NOTES": str(notes)}


def handled(running: Running, result: str = "ok") -> float:
    return running.sample("messages_total", result=result) or 0.0


def test_it_answers_and_is_measured_from_the_start(service: Service, notes: Path) -> None:
    with service.started(**given(notes)) as running:
        for path in "/health", "/health/ready":
            assert running.ask(path)[0] == 200
        assert running.ask("/nothing")[0] == 404
        assert running.sample("messages_total", result="ok") == 0
        assert running.sample("messages_total", result="error") == 0
        assert running.sample("message_duration_seconds_count") == 0
        assert running.sample("messages_in_progress") == 0
        assert running.sample("process_cpu_seconds_total") is not None
        running.send()
        assert running.ended()[0] == 0


def test_messages_are_handled_counted_and_told_with_their_trace(service: Service, notes: Path) -> None:
    messages: list[dict[str, Any]] = [
        {"traceparent": TRACEPARENT, "seconds": 0.2},
        {"fails": True, "traceparent": TRACEPARENT},
        {"traceparent": "nonsense"},
        {},
    ]
    with service.started(SERVICE="wallet", VERSION="1f" * 20, **given(notes, *messages)) as running:
        until(lambda: handled(running) == 3)
        assert handled(running, "error") == 1  # and it went on
        assert running.sample("message_duration_seconds_count") == 4
        assert 0.2 <= (running.sample("message_duration_seconds_sum") or 0) < PATIENCE
        assert running.sample("messages_in_progress") == 0
        assert running.ask("/health")[0] == 200
        running.send()
        code, lines = running.ended()
    assert code == 0
    assert {(line["service"], line["version"]) for line in lines} == {("wallet", "1f" * 20)}
    told = [line for line in lines if line["msg"] == "message"]
    assert [line["result"] for line in told] == ["ok", "error", "ok", "ok"]
    assert 0.2 <= told[0]["seconds"] < PATIENCE
    traces = [line["trace_id"] for line in told]
    assert traces[:2] == [TRACE, TRACE]
    assert len({*traces}) == 3
    assert all(len(trace) == 32 and int(trace, 16) for trace in traces)
    (failed,) = [line for line in lines if line["level"] == "ERROR"]
    assert failed["trace_id"] == TRACE
    assert "no such account" in failed["error"]
    assert notes.read_text().splitlines() == ["ack 0", "nack 1", "ack 2", "ack 3"]


def test_calls_to_others_are_counted_and_go_on_in_the_trace(service: Service, notes: Path) -> None:
    messages: list[dict[str, Any]] = [
        {"traceparent": TRACEPARENT, "calls": ["ledger", "postgres"]},
        {"traceparent": TRACEPARENT, "calls": ["ledger"], "refused": "ledger"},
    ]
    with service.started(**given(notes, *messages)) as running:
        until(lambda: handled(running) + handled(running, "error") == 2)
        counted = {
            (dependency, result): running.sample("dependency_requests_total", dependency=dependency, result=result)
            for dependency in ("ledger", "postgres")
            for result in ("ok", "error")
        }
        assert counted == {("ledger", "ok"): 1, ("ledger", "error"): 1, ("postgres", "ok"): 1, ("postgres", "error"): 0}
        assert running.sample("dependency_request_duration_seconds_count", dependency="ledger") == 2
        assert running.sample("dependency_request_duration_seconds_bucket", dependency="postgres", le="+Inf") == 1
    said = [line.removeprefix("call ") for line in notes.read_text().splitlines() if line.startswith("call ")]
    assert all(re.fullmatch(rf"00-{TRACE}-(?!0{{16}})[0-9a-f]{{16}}-01", each) for each in said)
    assert len({*said}) == 3  # each call is a span of its own


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_message_in_hand_finish_and_no_other_begin(
    service: Service, notes: Path, number: signal.Signals
) -> None:
    variables = given(notes, {"seconds": 2}, {}, {})
    with service.started(FINISH_SECONDS="20", DRAIN_SECONDS="not read", **variables) as running:
        until(lambda: running.sample("messages_in_progress") == 1)
        running.send(number)
        until(lambda: running.ask("/health/ready")[0] == 503, seconds=1)
        assert running.ask("/health")[0] == 200  # unready, and yet alive
        assert notes.read_text() == ""
        running.send(number)  # asked twice, it still leaves in order
        code, lines = running.ended()
    assert code == 0
    assert [line["msg"] for line in lines] == ["leaving", "message"]
    assert lines[1]["result"] == "ok"
    assert notes.read_text().splitlines() == ["ack 0"]


def test_a_message_that_never_ends_does_not_hold_it_up(service: Service, notes: Path) -> None:
    with service.started(FINISH_SECONDS="1", **given(notes, {"seconds": 600})) as running:
        until(lambda: running.sample("messages_in_progress") == 1)
        asked = time.monotonic()
        running.send()
        code, lines = running.ended()
    assert time.monotonic() - asked < 10
    assert code == 0
    assert [line["level"] for line in lines] == ["INFO", "ERROR"]
    assert lines[0]["msg"] == "leaving"
    assert notes.read_text() == ""  # the queue gives it to somebody else


def test_a_queue_that_cannot_be_reached_restarts_nothing(service: Service, notes: Path) -> None:
    with service.started(**given(notes, {"breaks": True}, {})) as running:
        until(lambda: handled(running) == 1)
        assert running.ask("/health")[0] == 200
        assert handled(running, "error") == 0
        running.send()
        code, lines = running.ended()
    assert code == 0
    assert [line["msg"] for line in lines if line["level"] == "ERROR"] == ["no message could be taken"]


def test_a_loop_that_has_died_is_no_health(service: Service, notes: Path) -> None:
    with service.started(**given(notes, {}, {"dies": True}, {})) as running:
        until(lambda: running.ask("/health")[0] == 503)
        assert running.ask("/health/ready")[0] == 503
        assert handled(running) == 1
        assert running.process.poll() is None  # the kubelet restarts it; until then its metrics can be read
        running.send()
        code, lines = running.ended()
    assert code == 0
    assert [line["level"] for line in lines if line["level"] not in ("INFO", "ERROR")] == ["CRITICAL"]


def test_a_loop_that_hangs_is_no_health_and_a_long_message_is_no_hang(service: Service, notes: Path) -> None:
    with service.started(FINISH_SECONDS="1", **given(notes, {"seconds": HANG_SECONDS + 2}, {"hangs": True})) as running:
        seen = set()
        while not handled(running):
            seen.add(running.ask("/health")[0])
            time.sleep(0.1)
        assert seen == {200}
        ended = time.monotonic()
        until(lambda: running.ask("/health")[0] == 503)
        assert HANG_SECONDS - 1 < time.monotonic() - ended < HANG_SECONDS + 3
        assert running.ask("/health/ready")[0] == 503
        running.send()
        assert running.ended()[0] == 0  # even so, it leaves when it is asked to


def test_the_sample_gives_a_message_a_second(sample: Service) -> None:
    with sample.started() as running:
        until(lambda: handled(running) >= 2)
        running.send()
        code, lines = running.ended()
    assert code == 0
    told = [line for line in lines if line["msg"] == "message"]
    assert {line["result"] for line in told} == {"ok"}
    assert len({line["trace_id"] for line in told}) == len(told)


def test_wrong_settings_are_told_together_and_end_it(service: Service) -> None:
    with service.launched(PORT="70000", LOG_LEVEL="loud", FINISH_SECONDS="soon") as process:
        said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 78
    told = [json.loads(line)["msg"].split(":")[0] for line in said.splitlines()]
    assert told == ["PORT", "LOG_LEVEL", "FINISH_SECONDS"]
