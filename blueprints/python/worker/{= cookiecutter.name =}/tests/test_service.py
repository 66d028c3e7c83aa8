from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable

import pytest
from conftest import PATIENCE, Running


def test_it_is_healthy_and_ready_and_measured(start: Callable[..., Running]) -> None:
    service = start()
    status, metrics = service.ask("/metrics")
    assert status == 200
    assert 'messages_total{result="ok"} 0.0' in metrics
    assert 'messages_total{result="error"} 0.0' in metrics
    assert "message_duration_seconds_count 0.0" in metrics
    assert "messages_in_progress 0.0" in metrics
    assert service.ask("/health") == (200, '{"status":"ok"}')
    assert service.ask("/health/ready?now") == (200, '{"status":"ready"}')
    assert service.ask("/nothing/here") == (404, '{"status":"not found"}')


def test_messages_are_counted_and_logged(start: Callable[..., Running]) -> None:
    service = start(SERVICE="echo", VERSION="abc")
    until = time.monotonic() + PATIENCE
    while 'messages_total{result="ok"} 0.0' in service.ask("/metrics")[1]:
        assert time.monotonic() < until
        time.sleep(0.1)
    code, logs = service.stop()
    assert code == 0
    for line in logs:
        assert {"time", "level", "msg", "service", "version", "trace_id"} <= line.keys()
    first = next(line for line in logs if line["msg"] == "message")
    assert (first["service"], first["version"], first["result"]) == ("echo", "abc", "ok")
    assert len(first["trace_id"]) == 32


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(start: Callable[..., Running], number: signal.Signals) -> None:
    service = start(DRAIN_SECONDS="not read")
    service.process.send_signal(number)
    code, logs = service.stop()
    assert code == 0
    assert [line["msg"] for line in logs].count("leaving") == 1


def test_wrong_settings_end_it_with_a_log_line_each(start: Callable[..., Running]) -> None:
    code, logs = start(PORT="http", LOG_LEVEL="loud").stop()
    assert code == 78
    assert [line["level"] for line in logs] == ["CRITICAL", "CRITICAL"]


def test_a_port_that_is_taken_ends_it_with_a_log_line(start: Callable[..., Running]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, logs = start(PORT=str(taken.getsockname()[1])).stop()
    assert code == 1
    assert [line["msg"] for line in logs] == ["cannot go on"]


def test_who_breaks_off_a_request_leaves_no_trace(start: Callable[..., Running]) -> None:
    service = start()
    with socket.create_connection(("127.0.0.1", service.port)) as broken:
        broken.sendall(b"nonsense\r\n\r\n")
    with socket.create_connection(("127.0.0.1", service.port)):
        assert service.ask("/health")[0] == 200
    code, logs = service.stop()
    assert code == 0
    assert {line["level"] for line in logs} == {"INFO"}
