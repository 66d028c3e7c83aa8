"""`python -m service ask [URL]`: whether a URL answers 2xx within two seconds; without one, this container's /health.

For the image's HEALTHCHECK and the chart's `helm test`: the image has no curl. Exit code 0, or 1 and a line on stderr.
"""

from __future__ import annotations

import http.client
import os
import sys
import threading
from urllib.parse import urlsplit

from .settings import Settings

SECONDS = 2.0
"""For the whole of it: name, connection and answer."""


def wrong(url: str) -> str:
    """What is wrong with the answer of `url`; nothing when it is 2xx. No proxy is asked, no redirection followed."""
    try:
        where = urlsplit(url)
        if where.scheme != "http" or not where.hostname:
            return "is no http:// address"
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=SECONDS)
        try:
            connection.request("GET", f"{where.path or '/'}{'?' if where.query else ''}{where.query}")
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        return " ".join(f"{type(error).__name__}: {error}".split())
    return "" if 200 <= status < 300 else f"answers {status}"


def main(arguments: list[str]) -> int:
    """Ask; returns the exit code."""
    here = f"http://127.0.0.1:{os.environ.get('PORT') or Settings().port}/health"
    url = arguments[0] if arguments else here
    said = [f"no answer within {SECONDS:g} s"]

    def ask() -> None:
        said[0] = wrong(url)

    asking = threading.Thread(target=ask, daemon=True)  # sockets have a limit a step; this is one for them all
    asking.start()
    asking.join(SECONDS)
    problem = said[0]
    if problem:
        print(f"{url}: {problem}", file=sys.stderr)
    return 1 if problem else 0
