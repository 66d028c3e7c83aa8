from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable

from conftest import PATIENCE, Running

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_it_is_healthy_and_ready_and_measured(start: Callable[..., Running]) -> None:
    service = start()
    assert service.ask("/health") == (200, '{"status":"ok"}')
    assert service.ask("/health/ready") == (200, '{"status":"ready"}')
    assert service.ask("/nothing/here")[0] == 404
    status, metrics = service.ask("/metrics")
    assert status == 200
    assert 'http_requests_total{method="GET",route="/health",status="200"} 1.0' in metrics
    assert 'http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in metrics


def test_a_request_is_answered_and_logged_with_its_trace(start: Callable[..., Running]) -> None:
    service = start(SERVICE="echo", VERSION="abc")
    headers = {"Content-Type": "application/json", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    asked = service.ask("/v1/echo", b'{"text": "hello"}', **headers)
    assert asked == (200, '{"text":"hello"}')
    code, logs = service.stop()
    assert code == 0
    for line in logs:
        assert {"time", "level", "msg", "service", "version", "trace_id"} <= line.keys()
    (line,) = [line for line in logs if line["msg"] == "request"]
    assert line["service"] == "echo"
    assert line["version"] == "abc"
    assert line["trace_id"] == TRACE
    assert (line["method"], line["path"], line["status"]) == ("POST", "/v1/echo", 200)


def test_sigterm_lets_a_request_finish(start: Callable[..., Running]) -> None:
    service = start(DRAIN_SECONDS="1")
    body = json.dumps({"text": "slow"}).encode()
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as slow:
        slow.sendall(b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
        slow.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body[:5])
        service.ask("/health")  # the slow request has begun by now
        service.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        while service.ask("/health/ready")[0] != 503:
            assert time.monotonic() < until
        time.sleep(1.5)  # past the drain: no new connection is taken
        slow.sendall(body[5:])
        answer = slow.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(body.replace(b": ", b":"))
    code, logs = service.stop()
    assert code == 0
    assert "leaving" in [line["msg"] for line in logs]


def test_wrong_settings_end_it_with_a_log_line_each(start: Callable[..., Running]) -> None:
    code, logs = start(PORT="http", LOG_LEVEL="loud").stop()
    assert code == 78
    assert [line["level"] for line in logs] == ["CRITICAL", "CRITICAL"]
