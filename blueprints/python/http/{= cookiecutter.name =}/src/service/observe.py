"""Each request: its trace, its log line, its metrics."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .logs import trace_id, trace_of

REQUESTS = Counter("http_requests_total", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram("http_request_duration_seconds", "Seconds from a request to its answer.", ["method", "route"])

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_UNLOGGED = {"/health", "/health/ready", "/metrics"}  # asked every few seconds
_log = logging.getLogger(__name__)


def observed(app: ASGIApp, leaving: Callable[[], bool]) -> ASGIApp:
    """`app` with every request traced, logged and counted; while `leaving`, callers are told to connect elsewhere."""

    async def observe(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()
        headers = dict(scope["headers"])
        trace_id.set(trace_of(headers.get(b"traceparent", b"").decode("latin-1")))

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if leaving():
                    message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
            await send(message)

        try:
            await app(scope, receive, watch)
        except Exception:  # the framework has answered 500 already; the server would log it without its trace
            _log.exception("request failed")
        finally:
            _note(scope, status, time.perf_counter() - began)

    return observe


def _note(scope: Scope, status: int, seconds: float) -> None:
    # the route's template, never the path itself: each label value is a time series for ever
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if scope["method"] in _METHODS else "other"
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(method, route).observe(seconds)
    if route not in _UNLOGGED:
        fields = {"method": method, "path": scope["path"], "status": status, "seconds": round(seconds, 4)}
        _log.info("request", extra={"fields": fields})
