"""`python -m service`: runs the service until SIGTERM; `python -m service ask [URL]`: see ask.py."""

from __future__ import annotations

import logging
import os
import sys

from . import ask, logs, settings
{=% if cookiecutter.kind == "http" %=}
from .server import serve
{=% else %=}
from .worker import serve
{=% endif %=}

WRONG_USAGE, WRONG_SETTINGS = 64, 78
"""Exit codes for wrong arguments and for a wrong environment (EX_USAGE and EX_CONFIG of sysexits.h)."""


def main(arguments: list[str]) -> int:
    """Run the service, or ask one; returns the exit code."""
    if arguments[:1] == ["ask"]:
        return ask.main(arguments[1:])
    if arguments:
        print(f"unknown: {arguments[0]}; the service takes no arguments, or: ask [URL]", file=sys.stderr)
        return WRONG_USAGE
    try:
        given = settings.read(os.environ)
    except settings.WrongSettings as wrong:
        logs.start(settings.Settings())
        for each in wrong.problems:
            logging.getLogger(__name__).critical(each)
        return WRONG_SETTINGS
    logs.start(given)
    try:
        serve(given)
    except Exception:  # the last words are a log line too
        logging.getLogger(__name__).critical("cannot go on", exc_info=True)
        return 1
    return 0


sys.exit(main(sys.argv[1:]))
