"""The process around the loop, and how it stops."""

from __future__ import annotations

import logging
import os
import signal
import threading

from .app import handle
from .consume import Pulse, consume
from .probes import listen
from .settings import Settings
from .source import connect

STOPPING = (signal.SIGTERM, signal.SIGINT)
_log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Take messages until SIGTERM or SIGINT, then leave.

    Leaving: unready at once, no new message, and at most `finish_seconds` for the one in hand. What is not finished by
    then was not acknowledged: the queue gives it to somebody else.
    """
    asked, asking = os.pipe()
    os.set_blocking(asking, False)
    # Written to at once, whatever the threads are at. A wait for a lock could begin just after a handler was due.
    signal.set_wakeup_fd(asking)
    for number in STOPPING:
        signal.signal(number, lambda *_: None)
    leaving, pulse = threading.Event(), Pulse()
    listen(
        settings.host,
        settings.port,
        healthy=lambda: pulse.alive,
        ready=lambda: pulse.alive and not leaving.is_set(),
    )
    source = connect(settings)
    loop = threading.Thread(target=consume, args=(source, handle, pulse, leaving), name="consume", daemon=True)
    loop.start()
    while os.read(asked, 1)[0] not in STOPPING:
        pass
    leaving.set()
    _log.info("leaving", extra={"fields": {"finish_seconds": settings.finish_seconds}})
    loop.join(settings.finish_seconds)
    if pulse.in_hand:
        _log.error("the message in hand was not finished in time")
