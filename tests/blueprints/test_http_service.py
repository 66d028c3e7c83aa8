"""What every web service of ours does, in whatever language: started for real, probed, scraped, drained."""

from __future__ import annotations

import json
import re
import signal
import socket
import time

import pytest

from tests.blueprints.load import Load
from tests.blueprints.rendered import MADE
from tests.blueprints.running import PATIENCE, TRACE, TRACEPARENT, Service, placed, unbuilt, until

JSON = {"Content-Type": "application/json", "traceparent": TRACEPARENT}
HEAD = b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "


WEB = [made for made in MADE if made.kind == "http"]


@pytest.fixture(scope="module", params=WEB, ids=str)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Service:
    return placed(tmp_path_factory.mktemp("service"), request.param, secrets=["DATABASE_PASSWORD"])


def test_it_answers_on_the_paths_that_the_chart_asks(service: Service) -> None:
    with service.started() as running:
        for path in "/health", "/health/ready":
            assert running.ask(path)[0] == 200
        assert running.ask("/nothing")[0] == 404
        assert running.ask("/health/ready", b"{}")[0] == 405  # a path that is there, and no such method
        for path in "/health", "/health/ready":
            assert running.sample("http_requests_total", method="GET", route=path, status="200") == 1
        assert running.sample("http_requests_total", method="GET", route="unmatched", status="404") == 1
        assert running.sample("http_request_duration_seconds_count", method="GET", route="/health") == 1
        assert running.sample("process_cpu_seconds_total") is not None
        running.send()
        assert running.ended()[0] == 0


def test_its_log_tells_what_the_environment_says_and_keeps_the_trace(service: Service) -> None:
    with service.started(SERVICE="wallet", VERSION="1f" * 20) as running:
        status, text = running.ask("/v1/echo", b'{"text": "a\\nb"}', **JSON)
        assert (status, json.loads(text)) == (200, {"text": "a\nb"})
        refused = running.ask("/v1/echo", b"nonsense", **JSON)[0]
        assert refused in (400, 422)
        running.send()
        code, lines = running.ended()
    assert code == 0
    assert {(line["service"], line["version"]) for line in lines} == {("wallet", "1f" * 20)}
    requests = [line for line in lines if line["msg"] == "request"]
    assert [(line["status"], line["trace_id"]) for line in requests] == [(200, TRACE), (refused, TRACE)]
    assert [(line["method"], line["path"]) for line in requests] == [("POST", "/v1/echo")] * 2
    assert all(line["seconds"] >= 0 for line in requests)


def test_a_request_without_a_trace_gets_one(service: Service) -> None:
    with service.started() as running:
        for traceparent in "", "nonsense", f"00-{'0' * 32}-00f067aa0ba902b7-01":
            running.ask("/v1/echo", b'{"text": "x"}', **{**JSON, "traceparent": traceparent})
        running.send()
        traces = [line["trace_id"] for line in running.ended()[1] if line["msg"] == "request"]
    assert len(set(traces)) == 3
    assert all(len(trace) == 32 and int(trace, 16) for trace in traces)


@pytest.fixture(scope="module", params=WEB, ids=str)
def caller(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The service with an endpoint that calls another one."""
    found = unbuilt(tmp_path_factory.mktemp("service"), request.param)
    found.language.calling(found.root)
    return found


def test_calls_to_others_are_counted_and_go_on_in_the_trace(caller: Service) -> None:
    with caller.started() as running:
        said = [json.loads(running.ask("/v1/echo", b'{"text": "x"}', **JSON)[1])["text"] for _ in range(2)]
        assert running.ask("/v1/echo", b'{"text": "refused"}', **JSON)[0] == 500
        for result, count in ("ok", 2), ("error", 1):
            assert running.sample("dependency_requests_total", dependency="ledger", result=result) == count
        assert running.sample("dependency_request_duration_seconds_count", dependency="ledger") == 3
        assert running.sample("dependency_request_duration_seconds_bucket", dependency="ledger", le="+Inf") == 3
        assert running.sample("http_requests_total", method="POST", route="/v1/echo", status="500") == 1
        running.send()
        lines = running.ended()[1]
    assert all(re.fullmatch(rf"00-{TRACE}-(?!0{{16}})[0-9a-f]{{16}}-01", each) for each in said)
    assert said[0] != said[1]  # each call is a span of its own
    (failed,) = [line for line in lines if line["level"] == "ERROR"]
    assert failed["trace_id"] == TRACE
    assert "refused" in failed["error"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_a_slow_request_finish(service: Service, number: signal.Signals) -> None:
    body = b'{"text":"slow"}'
    with service.started(DRAIN_SECONDS="1.5", FINISH_SECONDS="20") as running:
        with socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE) as slow:
            slow.sendall(HEAD + f"{len(body)}\r\n\r\n".encode() + body[:4])
            assert running.ask("/health/ready")[0] == 200
            running.send(number)
            until(lambda: running.ask("/health/ready")[0] == 503, seconds=1)
            assert running.ask("/health")[0] == 200  # unready, and yet answering
            running.send(number)  # asked twice, it still leaves in order
            until(lambda: not running.listens())
            assert running.process.poll() is None
            slow.sendall(body[4:])
            answer = slow.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(body)
        code, lines = running.ended()
    assert code == 0
    assert [line["msg"] for line in lines].count("leaving") == 1


def test_a_request_that_never_ends_does_not_hold_it_up(service: Service) -> None:
    with (
        service.started(FINISH_SECONDS="1") as running,
        socket.create_connection(("127.0.0.1", running.port)) as stuck,
    ):
        stuck.sendall(HEAD + b"10\r\n\r\n")
        assert running.ask("/health")[0] == 200
        running.send()
        code, _ = running.ended()
    assert code == 0


def test_no_request_fails_while_it_leaves_under_load(service: Service) -> None:
    with service.started(DRAIN_SECONDS="2", FINISH_SECONDS="20", LOG_LEVEL="WARNING") as running:
        load = Load(running.port)
        threads = load.start()
        until(lambda: len(load.answered) > 200)
        probed = load.probed
        until(lambda: load.probed > probed)  # it is some time to the next probe, and all go on until then
        asked = time.monotonic()
        running.send()
        for thread in threads:
            thread.join(PATIENCE)
        code, lines = running.ended()
    after = sum(moment > asked for moment in load.answered)
    assert (load.failed, code, lines) == ([], 0, [])
    assert not load.ready.is_set()
    assert after > 50  # it was asked all the while


def test_wrong_settings_are_told_together_and_end_it(service: Service) -> None:
    with service.launched(PORT="70000", LOG_LEVEL="loud", DRAIN_SECONDS="soon", FINISH_SECONDS="-1") as process:
        said, _ = process.communicate(timeout=PATIENCE)
    lines = [json.loads(line) for line in said.splitlines()]
    assert process.returncode == 78
    told = [line["msg"].split(":")[0] for line in lines]
    assert told == ["PORT", "LOG_LEVEL", "DRAIN_SECONDS", "FINISH_SECONDS"]
