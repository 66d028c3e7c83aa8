from __future__ import annotations

import re

import pytest
from prometheus_client import REGISTRY, generate_latest

from service.calls import call, traceparent
from service.logs import trace_id, trace_of


def counted(dependency: str, result: str) -> float | None:
    return REGISTRY.get_sample_value("dependency_requests_total", {"dependency": dependency, "result": result})


def timed(dependency: str) -> float | None:
    return REGISTRY.get_sample_value("dependency_request_duration_seconds_count", {"dependency": dependency})


def test_a_call_is_counted_and_timed() -> None:
    with call("orders"):
        assert (counted("orders", "ok"), counted("orders", "error")) == (0, 0)
    assert (counted("orders", "ok"), counted("orders", "error"), timed("orders")) == (1, 0, 1)


def test_a_call_that_fails_is_an_error_and_says_so() -> None:
    with pytest.raises(OSError, match="refused"), call("ledger"):
        raise OSError("refused")
    assert (counted("ledger", "ok"), counted("ledger", "error"), timed("ledger")) == (0, 1, 1)


def test_prometheus_is_told() -> None:
    with call("postgres"):
        pass
    told = generate_latest().decode()
    assert 'dependency_requests_total{dependency="postgres",result="ok"} 1.0' in told
    assert 'dependency_request_duration_seconds_bucket{dependency="postgres",le="+Inf"} 1.0' in told


def test_a_call_goes_on_in_the_trace_in_hand_with_a_span_of_its_own() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    token = trace_id.set(trace)
    first, second = traceparent(), traceparent()
    trace_id.reset(token)
    assert re.fullmatch(rf"00-{trace}-[0-9a-f]{{16}}-01", first)
    assert trace_of(first) == trace
    assert first != second


def test_a_call_outside_of_a_trace_begins_one() -> None:
    assert trace_id.get() == ""
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", traceparent())
    assert traceparent().split("-")[1] != traceparent().split("-")[1]
