"""`python -m service`: runs the service until SIGTERM."""

from __future__ import annotations

import logging
import os
import sys

from . import logs, settings
{=% if cookiecutter.kind == "http" %=}
from .server import serve
{=% else %=}
from .worker import serve
{=% endif %=}

WRONG_SETTINGS = 78
"""Exit code when the environment is wrong (EX_CONFIG of sysexits.h)."""


def main() -> int:
    """Run the service; returns the exit code."""
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


sys.exit(main())
