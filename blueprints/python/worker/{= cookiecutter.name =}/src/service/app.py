"""What is done with a message. A sample: put the service's own work in its place."""

from __future__ import annotations

import logging

from .source import Message

_log = logging.getLogger(__name__)


def handle(message: Message) -> None:
    """Do what `message` asks for; whatever is raised gives it back to the queue."""
    _log.debug("a message of %d bytes", len(message.body))
