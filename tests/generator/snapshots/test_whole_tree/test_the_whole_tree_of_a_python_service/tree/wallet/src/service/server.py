"""The server around the application, and how it stops."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from .app import create
from .observe import observed
from .settings import Settings

_log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Answer requests until SIGTERM or SIGINT, then leave.

    Leaving: unready at once, still answering for `drain_seconds`, then no new connection, and at most
    `finish_seconds` for the requests that have begun.
    """
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    leaving = asyncio.Event()
    app = create(leaving.is_set)
    server = uvicorn.Server(
        uvicorn.Config(
            observed(app, leaving.is_set),
            host=settings.host,
            port=settings.port,
            log_config=None,  # its logs go where all the others go
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=round(settings.finish_seconds),
        )
    )
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    def leave() -> None:
        if not leaving.is_set():
            leaving.set()
            _log.info("leaving", extra={"fields": {"drain_seconds": settings.drain_seconds}})
            loop.call_later(settings.drain_seconds, stop)

    @asynccontextmanager
    async def handling_signals(_: object) -> AsyncIterator[None]:
        # here, and not earlier: uvicorn has just set its own handlers, which stop listening at once
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, leave)
        yield

    app.router.lifespan_context = handling_signals
    await server.serve()
