from __future__ import annotations

import asyncio
import json
import logging

import pytest
from starlette.types import Message, Receive, Scope, Send

from service.logs import JsonLines
from service.observe import observed


def test_a_request_that_fails_is_logged_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("no answer")

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        pass

    caplog.handler.setFormatter(JsonLines("echo", "abc"))
    caplog.set_level(logging.INFO)

    async def ask() -> None:
        scope = {"type": "http", "method": "GET", "path": "/broken", "headers": []}
        await observed(broken, lambda: False)(scope, receive, send)

    asyncio.run(ask())
    failed, request = [json.loads(line) for line in caplog.text.splitlines()]
    assert failed["level"] == "ERROR"
    assert "RuntimeError: no answer" in failed["error"]
    assert failed["trace_id"] == request["trace_id"] != ""
    assert request["status"] == 500
