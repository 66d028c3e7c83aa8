"""Calls to other services and to stores: their metrics, and the trace that goes with them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram

from .logs import trace_id

REQUESTS = Counter("dependency_requests_total", "Calls to services and stores.", ["dependency", "result"])
SECONDS = Histogram("dependency_request_duration_seconds", "Seconds that such a call took.", ["dependency"])


@contextmanager
def call(dependency: str) -> Iterator[None]:
    """Count and time what is done inside as one call to `dependency`; an exception counts as an error, and goes on.

        with call("ledger"):
            answer = client.get(url, headers={"traceparent": traceparent()})
            answer.raise_for_status()

    `dependency` is a name such as `calls` in the chart's values has, never an address: each is a time series for ever.
    """
    for each in "ok", "error":  # both are there before the first error, which would not be a rise otherwise
        REQUESTS.labels(dependency, each)
    result, began = "error", time.perf_counter()
    try:
        yield
        result = "ok"
    finally:
        REQUESTS.labels(dependency, result).inc()
        SECONDS.labels(dependency).observe(time.perf_counter() - began)


def traceparent() -> str:
    """The W3C `traceparent` of an outgoing call: the trace in hand, or a new one, and a span of the call's own."""
    return f"00-{trace_id.get() or secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
